"""Read all edges of MobileNet in a Spark cluster of two workers, one executor killed in the middle, and check them.

    python tools/spark_mobilenet.py                        # Keras' MobileNet, 579,603,632 edges; needs Java
    python tools/spark_mobilenet.py model.onnx --rows 8000 --parquet

Each query is compared with the closed form: the edges into each layer, the in-degree of every neuron, one layer alone.
Told are the time, the processor time of all of Spark, and edges a second and processor. With `--parquet`, the same
queries follow over the graph as Parquet.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import onnx2graphml as o2g


@contextmanager
def cluster(memory: int, folder: Path) -> Iterator[Any]:
    """A session of a cluster of two workers, each a process of one core and so many MB."""
    from pyspark.sql import SparkSession

    from onnx2graphml.spark import register

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(o2g.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "localhost",
        "spark.driver.memory": f"{memory}m",
        "spark.executor.memory": f"{memory}m",
        "spark.sql.shuffle.partitions": "8",
        "spark.local.dir": str(folder),
        "spark.worker.dir": str(folder),
        "spark.network.timeout": "600s",  # on a machine that has other work, too
        "spark.python.authenticate.socketTimeout": "120s",
    }
    builder = SparkSession.builder.master(f"local-cluster[2,1,{memory}]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    register(session)
    try:
        yield session
    finally:
        session.stop()


def edges_of(spark: Any, path: Path, rows: int, schema: str = "", **options: str) -> Any:
    """The table of edges; only some of its columns by a schema, only some of its rows by options."""
    reader = spark.read.format("onnx2graphml").options(path=str(path), rows=str(rows), **options)
    return (reader.schema(schema) if schema else reader).load()


def by_layer(edges: Any) -> dict[str, int]:
    """The number of edges into each layer."""
    return {row["layer"]: row["count"] for row in edges.groupBy("layer").count().collect()}


def in_degrees(edges: Any, neurons: int, folder: Path) -> np.ndarray[Any, Any]:
    """Of every neuron, by Spark; through files, since they may be more than a driver has memory for."""
    from pyarrow import parquet as pq

    edges.groupBy("dst").count().write.mode("overwrite").parquet(str(folder / "in_degree"))
    table = pq.read_table(folder / "in_degree")
    found = np.zeros(neurons, np.int64)
    np.add.at(found, table["dst"].to_numpy(), table["count"].to_numpy())
    return found


def expected_in_degrees(graph: Any) -> np.ndarray[Any, Any]:
    """By the closed form."""
    return np.fromiter(o2g.measures.in_degree(graph).values(), np.int64, graph.neurons)


@contextmanager
def one_executor_killed(spark: Any, after: int) -> Iterator[list[int]]:
    """While this runs, an executor is killed as soon as so many tasks of a stage are done; its process, in a list."""
    killed: list[int] = []
    over = threading.Event()

    def watch() -> None:
        tracker = spark.sparkContext.statusTracker()
        while not over.wait(0.02):
            stages = map(tracker.getStageInfo, tracker.getActiveStageIds())
            if any(s and after <= s.numCompletedTasks < s.numTasks for s in stages):
                killed.append(executors()[0])
                os.kill(killed[0], signal.SIGKILL)
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def executors() -> list[int]:
    """The processes of executors below this one."""
    found = []
    for pid in descendants(os.getpid()):
        try:
            if b"CoarseGrainedExecutorBackend" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
        except OSError:
            continue
    return found


def descendants(pid: int) -> list[int]:
    """All processes below one, from Linux' /proc."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def processor_seconds() -> float:
    """Of all processes below this one, and of those below them that ended."""
    ticks = 0
    for pid in descendants(os.getpid()):
        try:
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def measured(what: str, count: int, query: Callable[[], Any]) -> Any:
    """What a query gives; tells how long it took for so many edges."""
    wall, cpu = time.monotonic(), processor_seconds()
    found = query()
    wall, cpu = time.monotonic() - wall, processor_seconds() - cpu
    speed = count / max(cpu, 0.01) / 1e6
    print(f"{what}: {count:,} edges, {wall:.0f} s, {cpu:.0f} s of processors, {speed:.2f} M edges/s each", flush=True)
    return found


def check(spark: Any, graph: Any, read: Callable[..., Any], folder: Path) -> None:
    """All queries, compared with the closed form; an executor is killed in the last one."""
    edges, narrow = read(), read("dst long")
    largest = max(graph.layers, key=lambda layer: layer.in_edges)
    assert measured("one layer", largest.in_edges, read(layer=largest.name).count) == largest.in_edges
    counts = measured("edges by layer", graph.edges, lambda: by_layer(edges))
    assert counts == {layer.name: layer.in_edges for layer in graph.layers if layer.in_edges}
    with one_executor_killed(spark, 3) as killed:
        found = measured("in-degrees", graph.edges, lambda: in_degrees(narrow, graph.neurons, folder))
    print(f"executors killed: {len(killed)}")
    assert killed
    np.testing.assert_array_equal(found, expected_in_degrees(graph))


def model_file(folder: Path) -> Path:
    """Keras' MobileNet with random weights."""
    import keras

    keras.utils.set_random_seed(0)
    path = folder / "mobilenet.keras"
    keras.applications.MobileNet(weights=None).save(path)
    return path


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, help="what load takes; default Keras' MobileNet")
    parser.add_argument("--rows", type=int, default=1 << 24, help="edges of a part at most")
    parser.add_argument("--memory", type=int, default=1024, help="MB of an executor")
    parser.add_argument("--parquet", action="store_true", help="the same from Parquet, too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = (args.model or model_file(folder)).resolve()
        graph = o2g.load(model)
        print(graph, flush=True)
        with cluster(args.memory, folder) as spark:
            spark.sparkContext.setLogLevel("OFF")
            check(spark, graph, partial(edges_of, spark, model, args.rows), folder)
            if args.parquet:
                o2g.write(graph, folder / "a.parquet")
                read = spark.read.parquet(str(folder / "a.parquet" / "edges"))
                found = measured(
                    "in-degrees from Parquet", graph.edges, lambda: in_degrees(read, graph.neurons, folder)
                )
                np.testing.assert_array_equal(found, expected_in_degrees(graph))
    print("all as expected")


if __name__ == "__main__":
    main()
