"""A pattern epoch by epoch: what is recorded and drawn is what the framework itself computes."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx2graphml
from onnx2graphml.cli import main
from onnx2graphml.draw.colours import Scale
from onnx2graphml.draw.film import film as films
from onnx2graphml.draw.film.folder import write_film
from onnx2graphml.draw.film.shown import shown
from onnx2graphml.draw.maps import class_panels, write_maps
from onnx2graphml.errors import Error, MissingExtraError, ModelError
from onnx2graphml.graph.graph import Layer
from onnx2graphml.recording import fingerprint
from onnx2graphml.recording.checkpoints import checkpoints
from onnx2graphml.recording.epochs import Recorder, Recording, epochs
from onnx2graphml.recording.input_files import input_files
from onnx2graphml.recording.maps import Maps
from onnx2graphml.recording.record import record
from pages import illegible, images, texts
from small import SIDE, model, node, runtime, weights

image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")

FIXTURES = Path(__file__).parents[1] / "fixtures"
PATTERN = weights(1, 2, 4, 5, seed=9)


def network(seed: int, channels: int = 3, name: str = "conv") -> Any:
    """A checkpoint: the same network with other weights."""
    nodes = [
        node("Conv", "x w", "c", name, **SIDE),
        node("Relu", "c", "r", "relu"),
        node("Flatten", "r", "f", "flatten"),
        node("Gemm", "f v b", "y", "dense"),
    ]
    constants = {
        "w": weights(channels, 2, 3, 3, seed=seed),
        "v": weights(channels * 20, 7, seed=seed + 1),
        "b": weights(7, seed=seed + 2),
    }
    return model(nodes, {"x": [1, 2, 4, 5]}, constants, outputs=["c", "r", "f", "y"])


def feeds(graph: Any) -> dict[str, np.ndarray]:
    return {"x": PATTERN}


@pytest.fixture(scope="module")
def recording() -> Recording:
    graphs = ((f"epoch {k + 1}", onnx2graphml.load(network(10 * k))) for k in range(3))
    return epochs(graphs, feeds, model="small")


# Recording


def test_what_is_recorded_is_what_onnx_runtime_computes(recording):
    assert recording.epochs == ("epoch 1", "epoch 2", "epoch 3")
    for k in range(3):
        expected = runtime(network(10 * k), {"x": PATTERN})
        by_shape = {v[0].shape: v[0] for v in expected}
        found = [recording.values[x.name][k] for x in recording.layers]
        np.testing.assert_array_equal(found[0], PATTERN[0])
        assert [f.shape for f in found[1:]] == [(3, 4, 5), (3, 4, 5), (60,), (7,)]
        np.testing.assert_allclose(found[1], expected[0][0], rtol=1e-6)
        np.testing.assert_allclose(found[2], np.maximum(expected[0][0], 0), rtol=1e-6)
        np.testing.assert_allclose(found[4], by_shape[(7,)], rtol=1e-6)


def test_only_the_layers_asked_for(recording):
    last = recording.layers[-1].name
    graph = onnx2graphml.load(network(0))
    found = epochs([("a", graph)], feeds, [last])
    assert [x.name for x in found.layers] == [last]
    np.testing.assert_array_equal(found.values[last][0], recording.values[last][0])


def test_graphs_are_taken_one_at_a_time():
    alive: list[str] = []

    def graphs():
        for name in ("a", "b"):
            assert len(alive) == len(taken)
            alive.append(name)
            yield name, onnx2graphml.load(network(0))

    taken: list[str] = []

    def noting(graph):
        taken.append("taken")
        return feeds(graph)

    epochs(graphs(), noting)
    assert taken == ["taken"] * 2


def test_other_networks_are_refused():
    first = onnx2graphml.load(network(0))
    for other, message in (
        (network(0, channels=2), r"second: layer 'c\w*' has shape \[2, 4, 5\], and in first it has shape \[3, 4, 5\]"),
        (network(0, name="later"), "is not there, and in first it has shape|and in first it is not there"),
    ):
        with pytest.raises(Error, match=message):
            epochs([("first", first), ("second", onnx2graphml.load(other))], feeds)
    with pytest.raises(Error, match="'first' is recorded already; give each epoch a name of its own"):
        epochs([("first", first), ("first", first)], feeds)
    with pytest.raises(Error, match="no epoch was recorded"):
        epochs([], feeds)


def test_a_graph_without_a_model():
    graph = dataclasses.replace(onnx2graphml.load(network(0)), model=None)
    with pytest.raises(Error, match=r"^first: the graph was made from no model"):
        epochs([("first", graph)], feeds)


def test_arrays_are_copied():
    recorder, value = Recorder("m"), np.zeros(2)
    recorder.add("1", [Layer("y", "", (2,))], {"y": value})
    value += 1
    assert not recorder.recording().values["y"].any()


# Checkpoints


def test_checkpoints_in_natural_order(tmp_path):
    for name in ("epoch10.onnx", "epoch2.keras", "epoch1.h5", "log.csv", ".hidden", "epoch1.onnx"):
        (tmp_path / name).touch()
    (tmp_path / "epoch3").mkdir()
    (tmp_path / "epoch3/saved_model.pb").touch()
    (tmp_path / "more").mkdir()
    found, others = checkpoints(tmp_path)
    assert list(found) == ["epoch1.h5", "epoch1.onnx", "epoch2", "epoch3", "epoch10"]
    assert found["epoch10"] == tmp_path / "epoch10.onnx"
    assert others == ["log.csv", "more"]


def test_no_checkpoints(tmp_path):
    with pytest.raises(Error, match="not a folder of checkpoints"):
        checkpoints(tmp_path / "no")
    with pytest.raises(Error, match="no checkpoint is in this folder"):
        checkpoints(tmp_path)


# What is shown


def test_a_layer_has_the_same_scale_and_channels_at_each_epoch(recording):
    conv = recording.layers[1]
    values = recording.values[conv.name]
    found = shown(recording, conv, limit=2)
    high = np.abs(values).max()
    assert found.scale == Scale(-high, high, True)
    energy = (values.astype(np.float64) ** 2).sum((0, 2, 3))
    top = np.argsort(-energy)[:2]
    for k, tiles in enumerate(found.tiles):
        np.testing.assert_array_equal(tiles.array, values[k][top])
        assert tiles.indices == tuple((int(c),) for c in top)
        assert tiles.statement == "2 of 3 channels, by energy"
    relu = shown(recording, recording.layers[2])
    assert relu.scale == Scale(0.0, recording.values[recording.layers[2].name].max(), False)
    assert [t.statement for t in relu.tiles] == ["all 3 channels"] * 3


def test_subset_has_both_ends_and_grows():
    for count in range(1, 40):
        for most in range(2, 10):
            found = films.subset(count, most)
            assert found[0] == 0
            assert found[-1] == count - 1
            assert found == sorted(set(found))
            assert len(found) == min(count, most)


def colours_at(picture: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(int(c) for c in pixel) for pixel in picture.reshape(-1, 3)}


def test_of_many_epochs_a_film_shows_some_and_says_so():
    layer = Layer("y", "Gemm", (1,))
    recorded = Recording(tuple("abcde"), (layer,), {"y": np.arange(5.0)[:, None]}, model="net")
    what = [shown(recorded, layer)]
    assert len(list(films.frames(recorded, what, most=2))) == 2
    said = texts(films.frame(recorded, what, 4, 2))
    assert said[:2] == ["e   (5 of 5)", "net: 2 of 5 epochs"]


@pytest.mark.slow
def test_frames_differ_and_hold_the_colours_of_their_values():
    """A map of three values is drawn in the three colours that a scale from 0 to 4 gives them, whatever its own."""
    import matplotlib as mpl

    viridis = mpl.colormaps["viridis"]
    layer = Layer("map", "Gemm", (2, 2))
    values = np.array([[[0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 2.0]], [[0.0, 1.0], [2.0, 4.0]]])
    recorded = Recording(("1", "2", "3"), (layer,), {"map": values})
    what = shown(recorded, layer)
    pictures = list(films.frames(recorded, [what]))
    assert len(pictures) == 3
    assert not np.array_equal(pictures[0], pictures[1])
    of = {v: tuple(int(c) for c in viridis(v / 4, bytes=True)[:3]) for v in (0.0, 1.0, 2.0, 4.0)}
    at_left = [p[:, :190] for p in pictures]  # without the bar of all colours
    for picture, present in zip(at_left, ({0.0, 1.0}, {0.0, 1.0, 2.0}, {0.0, 1.0, 2.0, 4.0}), strict=True):
        near = {
            v
            for v, c in of.items()
            if any(max(abs(a - b) for a, b in zip(c, x, strict=True)) < 3 for x in colours_at(picture))
        }
        assert near == present


# Films


@pytest.fixture(scope="module")
def pair(recording) -> Recording:
    """Of a convolution and a dense layer."""
    return dataclasses.replace(recording, layers=(recording.layers[1], recording.layers[-1]))


@pytest.fixture(scope="module")
def written(pair, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("films") / "out"
    write_film(pair, folder)
    return folder


@pytest.mark.slow
def test_the_folder_holds_arrays_strips_films_and_says_so(pair, written):
    told = json.loads((written / "manifest.json").read_text())
    assert told["epochs"] == list(pair.epochs) == told["epochs_on_strips"]
    assert told["strip-1.png"] == told["film-1.png"] == [x.name for x in pair.layers]
    for entry, layer in zip(told["layers"], pair.layers, strict=True):
        np.testing.assert_array_equal(np.load(written / entry["file"]), pair.values[layer.name])
        scale = shown(pair, layer).scale
        assert entry["neurons"] == [f"n{layer.first_id}", f"n{layer.first_id + layer.neurons - 1}"]
        assert entry["scale"] == {"low": scale.low, "high": scale.high, "diverging": scale.diverging}
    kept = {"strip-1.png", "film-1.png", "manifest.json", *(e["file"] for e in told["layers"])}
    assert {f.name for f in written.iterdir()} == kept


@pytest.mark.slow
def test_a_film_has_a_frame_for_each_epoch_and_none_equals_another(pair, written):
    with image.open(written / "film-1.png") as film:
        assert film.n_frames == 3
        assert film.info["duration"] == 500
        decoded = []
        for k in range(3):
            film.seek(k)
            decoded.append(np.asarray(film.convert("RGB")))
    expected = list(films.frames(pair, [shown(pair, x) for x in pair.layers]))
    for found, frame in zip(decoded, expected, strict=True):
        np.testing.assert_array_equal(found, frame)
    assert not np.array_equal(decoded[0], decoded[1])
    assert not np.array_equal(decoded[1], decoded[2])


def test_a_gif_has_as_many_frames_and_the_same_bytes_each_time(tmp_path):
    pictures = [np.random.default_rng(k).integers(0, 255, (40, 50, 3), np.uint8) for k in range(3)]
    for name in ("one.gif", "two.gif", "one.png", "two.png"):
        films.save_film(iter(pictures), tmp_path / name, 0.2)
    for suffix in ("gif", "png"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
        with image.open(tmp_path / f"one.{suffix}") as film:
            assert (film.n_frames, film.size, film.info["loop"]) == (3, (50, 40), 0)


@pytest.mark.slow
def test_the_same_recording_gives_the_same_bytes(pair, written, tmp_path):
    write_film(pair, tmp_path / "again")
    for file in written.iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_strip_has_a_cell_for_each_layer_and_epoch_and_states_its_subset():
    values = {"y": np.arange(44.0).reshape(11, 4)}
    layer = Layer("y", "Gemm", (4,))
    recorded = Recording(tuple(f"epoch {k}" for k in range(11)), (layer,), values, model="net")
    drawn = films.strip(recorded, [shown(recorded, layer)], most=3)
    said = texts(drawn)
    assert said[0] == "net: 3 of 11 epochs"
    assert [t for t in said if t.startswith("epoch ")] == ["epoch 0", "epoch 5", "epoch 10"]
    assert len(images(drawn)) == 3 + 1, "a cell for each epoch and one bar of colours"
    every = films.strip(recorded, [shown(recorded, layer)], most=11)
    assert texts(every)[0] == "net: all 11 epochs"


@pytest.mark.slow
def test_nothing_on_a_strip_or_in_a_frame_is_clipped_or_lies_on_another_text(recording):
    layers = [shown(recording, x, limit=2) for x in recording.layers]
    for drawn in (films.strip(recording, layers), films.frame(recording, layers, 0, 2)):
        assert illegible(drawn) == []


def test_what_a_film_can_t_be(recording, tmp_path):
    for options, message in (
        ({"film": "mp4"}, "film is 'mp4'; expected png, gif"),
        ({"kind": "bmp"}, "kind is 'bmp'; expected png, svg, pdf"),
        ({"limit": 0}, "the limit of channels is 0; expected 1 or more"),
        ({"seconds": 0}, "an epoch stays for 0 seconds; expected more than 0"),
    ):
        with pytest.raises(Error, match=message):
            write_film(recording, tmp_path / "out", **options)
    with pytest.raises(Error, match="films are written as png, gif"):
        films.save_film(iter([]), tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())


def test_without_pillow(recording, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(
        MissingExtraError, match=r"needs Pillow, which is not installed: pip install 'onnx2graphml\[plot"
    ):
        films.save_film(iter([np.zeros((2, 2, 3), np.uint8)]), tmp_path / "film.gif")


# Maps of records as pictures


@pytest.mark.slow
def test_maps_are_written_as_arrays_and_pictures(tmp_path):
    graph = onnx2graphml.load(network(0))
    given = weights(12, 2, 4, 5, seed=3)
    np.save(tmp_path / "x.npy", given)
    found = record(graph, input_files(tmp_path / "x.npy", graph), tmp_path / "out", [graph.layers[1].name])
    labels = np.arange(12) % 3
    folder = write_maps(found, labels=labels, pair=(3, 7), limit=2)
    (file,) = found.files.values()
    whole, stem = np.load(file.path).astype(np.float64), file.path.stem
    expected = {
        "mean": whole.mean(0),
        "variance": whole.var(0),
        "difference": whole[3] - whole[7],
        "class-mean": [whole[labels == k].mean(0) for k in range(3)],
        "class-variance": [whole[labels == k].var(0) for k in range(3)],
        "class-difference": [whole[labels == k].mean(0) - whole.mean(0) for k in range(3)],
    }
    for name, array in expected.items():
        np.testing.assert_allclose(np.load(folder / f"{stem}-{name}.npy"), array, rtol=1e-10, atol=1e-13)
    for picture in (f"{stem}.png", f"{stem}-classes.png"):
        with image.open(folder / picture) as opened:
            assert np.asarray(opened.convert("L")).std() > 5
    told = json.loads((folder / "manifest.json").read_text())
    assert (told["classes"], told["difference"], told["inputs"]) == ([0, 1, 2], [3, 7], 12)
    again = {f.name: f.read_bytes() for f in folder.iterdir()}
    write_maps(found, labels=labels, pair=(3, 7), limit=2)
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == again
    record(graph, input_files(tmp_path / "x.npy", graph), tmp_path / "out", overwrite=True)
    assert not folder.exists(), "they were of the record that is gone"
    with pytest.raises(Error, match="the limit of channels is 0"):
        write_maps(found, limit=0)


def test_classes_share_their_colours_and_no_more_than_a_dozen_are_shown():
    layer, means = Layer("y", "Gemm", (2,)), np.arange(40.0).reshape(20, 2)
    found = Maps(layer, np.full(2, 10.0), np.ones(2), tuple(range(20)), means, means)
    panels, scales = class_panels(found)
    assert list(panels) == [f"class {k} less all" for k in range(12)]
    assert set(scales.values()) == {Scale(-29.0, 29.0, True)}, "also of those that are not shown"


# Frameworks


def keras_model(keras: Any) -> Any:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    made = keras.Sequential(
        [
            keras.Input((6, 6, 1), name="image"),
            layers.Conv2D(2, 3, name="conv", activation="relu"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.5, name="dropout", seed=1),
            layers.Dense(3, name="dense", activation="softmax"),
        ],
        name="tiny",
    )
    made.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    return made


@pytest.mark.slow
def test_a_keras_callback_records_what_keras_predicts_and_changes_nothing(tmp_path):
    keras = pytest.importorskip("keras")
    from onnx2graphml.frontends.watch_keras import FilmCallback

    x, y = weights(32, 6, 6, 1), np.arange(32) % 3
    recorder, predicted = Recorder(), []

    def each(epoch: str, network: Any) -> None:
        recorder.add_graph(epoch, onnx2graphml.load(network), {"image": x[:1]})
        inner = keras.Model(network.inputs, [network.get_layer(n).output for n in ("conv", "flatten", "dense")])
        predicted.append([np.asarray(v)[0] for v in inner([x[:1]], training=False)])

    ended: list[Recording] = []
    begun: list[Any] = []
    callback = FilmCallback(begun.append, each, lambda: ended.append(recorder.recording()))
    watched = keras_model(keras)
    fitting = {"epochs": 3, "batch_size": 8, "verbose": 0, "shuffle": False}
    watched.fit(x, y, callbacks=[callback], **fitting)
    alone = keras_model(keras)
    alone.fit(x, y, **fitting)
    for one, other in zip(watched.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    (recording,) = ended
    assert begun == [watched]
    assert recording.epochs == ("epoch 1", "epoch 2", "epoch 3")
    assert recording.model == "tiny"
    assert recording.channels_last
    for k, (conv, flat, dense) in enumerate(predicted):
        np.testing.assert_allclose(recording.values["conv"][k], conv, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(recording.values["flatten"][k], flat, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(recording.values["dense"][k], dense, rtol=1e-5, atol=1e-6)
    assert np.abs(recording.values["dense"][0] - recording.values["dense"][2]).max() > 1e-3
    prints = {fingerprint.of_model(onnx2graphml.load(watched).model) for _ in range(2)}
    assert len(prints) == 1, "a record of a Keras model can go on, although the conversion numbers its tensors anew"
    assert prints != {fingerprint.of_model(onnx2graphml.load(keras_model(keras)).model)}
    watched.fit(x, y, callbacks=[FilmCallback(print, lambda e, m: ended.append(e), lambda: None, 2)], **fitting)
    assert ended[1:] == ["epoch 2"]


@pytest.mark.slow
def test_epochs_are_counted_on_where_training_begins_anew():
    pytest.importorskip("keras")
    from onnx2graphml.frontends.watch_keras import FilmCallback

    seen: list[str] = []
    callback = FilmCallback(print, lambda epoch, model: seen.append(epoch), lambda: seen.append("end"), every=2)
    for start in (range(3), range(3), range(6, 8)):
        for epoch in start:
            callback.on_epoch_end(epoch)
        callback.on_train_end()
    assert seen == ["epoch 2", "end", "epoch 4", "epoch 6", "end", "epoch 8", "end"]
    with pytest.raises(Error, match="every is 0; expected 1 or more"):
        FilmCallback(print, lambda epoch, model: None, lambda: None, every=0)


def torch_module(torch: Any) -> Any:
    class Net(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(1, 2, 3)
            self.bn = torch.nn.BatchNorm2d(2)
            self.relu = torch.nn.ReLU(inplace=True)
            self.drop = torch.nn.Dropout(0.5)
            self.lstm = torch.nn.LSTM(16, 4)
            self.fc = torch.nn.Linear(8, 3)

        def forward(self, picture: Any) -> Any:
            kept = self.relu(self.bn(self.conv(picture)))
            rows, _ = self.lstm(kept.flatten(2)[0])
            return self.relu(self.fc(self.drop(rows.flatten()[None])))

    torch.manual_seed(0)
    return Net()


def train(torch: Any, module: Any, after: Any) -> None:
    x, y = torch.tensor(weights(16, 1, 6, 6)), torch.tensor(weights(16, 3))
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    module.bn.eval()  # frozen: its mode is its own
    for _ in range(3):
        for k in range(16):
            optimizer.zero_grad()
            ((module(x[k : k + 1]) - y[k]) ** 2).sum().backward()
            optimizer.step()
        after()


@pytest.mark.slow
def test_a_torch_hook_records_what_forward_computes_and_changes_nothing(tmp_path):
    torch = pytest.importorskip("torch")
    from onnx2graphml.frontends.watch_torch import FilmHook

    pattern, recorder, ended = torch.tensor(weights(1, 1, 6, 6, seed=5)), Recorder("net"), []
    module = torch_module(torch)
    hook = FilmHook(module, (pattern,), recorder.add, lambda: ended.append(recorder.recording()))
    expected = []

    def after() -> None:
        modes = [m.training for m in module.modules()]
        hook.epoch()
        assert [m.training for m in module.modules()] == modes
        assert not any(m._forward_hooks for m in module.modules())
        module.eval()
        with torch.no_grad():
            conv = module.conv(pattern)
            kept = module.bn(conv).relu()
            expected.append((conv[0].numpy(), kept[0].numpy(), module(pattern)[0].numpy()))
        module.train()
        module.bn.eval()

    train(torch, module, after)
    hook.finish()
    alone = torch_module(torch)
    train(torch, alone, lambda: None)
    for one, other in zip(module.state_dict().values(), alone.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    (recording,) = ended
    assert recording.epochs == ("epoch 1", "epoch 2", "epoch 3")
    names = ["picture", "conv", "bn", "relu", "lstm/0", "lstm/1", "lstm/2", "drop", "fc", "relu#2"]
    assert [x.name for x in recording.layers] == names
    for k, (conv, kept, out) in enumerate(expected):
        np.testing.assert_array_equal(recording.values["picture"][k], pattern[0].numpy())
        np.testing.assert_allclose(recording.values["conv"][k], conv, rtol=1e-6)
        np.testing.assert_allclose(recording.values["relu"][k], kept, rtol=1e-6)
        np.testing.assert_allclose(recording.values["relu#2"][k], out, rtol=1e-6)
        assert (recording.values["bn"][k] < 0).any(), "before the ReLU wrote over it"
    assert shown(recording, recording.layers[1]).tiles[0].statement == "all 2 channels"
    one = dataclasses.replace(recording, layers=recording.layers[-1:])
    write_film(one, tmp_path / "out")
    (entry,) = json.loads((tmp_path / "out/manifest.json").read_text())["layers"]
    assert (entry["name"], entry["shape"]) == ("relu#2", [3])
    assert "neurons" not in entry, "ids are a graph's"


@pytest.mark.slow
def test_what_a_torch_hook_refuses():
    torch = pytest.importorskip("torch")
    from onnx2graphml.frontends.watch_torch import FilmHook, outputs

    with pytest.raises(ModelError, match=r"got shape \(2, 3\), expected batch 1"):
        FilmHook(torch.nn.Linear(3, 2), (torch.zeros(2, 3),), print, print)
    with pytest.raises(ModelError, match=r"expected a torch.nn.Module"):
        FilmHook("net", (torch.zeros(1, 3),), print, print)  # type: ignore[arg-type]
    module = torch.nn.Sequential(torch.nn.Linear(3, 2))
    with pytest.raises(ModelError, match="the module fails on its inputs"):
        outputs(module, (torch.zeros(1, 4),))
    assert not module[0]._forward_hooks, "hooks are removed after an error, too"
    half = outputs(torch.nn.Linear(3, 2).to(torch.bfloat16), (torch.zeros(1, 3, dtype=torch.bfloat16),))
    assert [v.dtype for v in half.values()] == [np.float32] * 2


# The command line


def command(name: str, *arguments: Any) -> int:
    return main([name, *map(str, arguments)])


def test_the_command_film(tmp_path, capsys):
    import onnx

    folder = tmp_path / "learning"
    folder.mkdir()
    for k in (1, 2, 10):
        onnx.save(network(k), folder / f"epoch{k}.onnx")
    (folder / "log.csv").touch()
    np.save(tmp_path / "p.npy", PATTERN)
    conv = onnx2graphml.load(network(1)).layers[1].name
    assert (
        command("film", folder, tmp_path / "p.npy", "-o", tmp_path / "out", "--layers", conv, "--film-format", "gif")
        == 0
    )
    said = capsys.readouterr()
    assert said.err == "no checkpoints, left out: log.csv\n"
    assert said.out == f"3 epochs, 1 layers: {tmp_path}/out (strip-1.png, film-1.gif)\n"
    told = json.loads((tmp_path / "out/manifest.json").read_text())
    assert (told["epochs"], told["model"]) == (["epoch1", "epoch2", "epoch10"], "learning")
    values = np.load(tmp_path / "out" / told["layers"][0]["file"])
    expected = [runtime(network(k), {"x": PATTERN})[0][0] for k in (1, 2, 10)]
    np.testing.assert_allclose(values, expected, rtol=1e-6)


@pytest.mark.slow
def test_the_command_record(tmp_path, capsys):
    digits = shutil.copy(FIXTURES / "digits.onnx", tmp_path)
    with np.load(FIXTURES / "digits.npz") as held:
        np.save(tmp_path / "x.npy", held["x"])
        np.save(tmp_path / "y.npy", held["y"])
    given = ("record", digits, tmp_path / "x.npy", "-o", tmp_path / "out", "--layers", "conv2,digit")
    assert command(*given, "--by-class", tmp_path / "y.npy", "--difference", "3,7") == 0
    assert capsys.readouterr().out == f"10 inputs, 2 layers: {tmp_path}/out\nmaps: {tmp_path}/out/maps\n"
    whole = np.load(tmp_path / "out/09-digit.npy")
    assert whole.shape == (10, 10)
    assert (whole.argmax(1) == np.arange(10)).mean() > 0.8
    np.testing.assert_array_equal(
        np.load(tmp_path / "out/maps/09-digit-difference.npy"), whole[3].astype(float) - whole[7]
    )
    assert command(*given, "--difference", "3,10") == 2
    assert "difference names input 10; the inputs are 0 to 9" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command(*given, "--difference", "3")
    assert "expected two numbers of inputs such as 3,17" in capsys.readouterr().err


def test_an_interrupted_record_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    from onnx2graphml.recording import record

    def stopped(*args: Any) -> Any:
        raise KeyboardInterrupt

    np.save(tmp_path / "x.npy", np.zeros((2, 8, 8, 1), np.float32))
    monkeypatch.setattr(record, "_batches", stopped)
    assert command("record", FIXTURES / "digits.onnx", tmp_path / "x.npy", "-o", tmp_path / "out") == 130
    assert capsys.readouterr().err == "onnx2graphml: interrupted; the same command goes on where it was\n"
