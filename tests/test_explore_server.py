"""The page from a server: its answers, and who gets none."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx2graphml as o2g
from browser import NO_BROWSER, Watched, assert_edges, browser_path
from onnx2graphml.explorer.server import Server
from onnx2graphml.graph.graph import NeuronGraph

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def digits() -> NeuronGraph:
    return o2g.load(FIXTURES / "digits.onnx")


@pytest.fixture(scope="module")
def server(digits: NeuronGraph) -> Iterator[Server]:
    images = np.load(FIXTURES / "digits.npz")["x"]
    running = o2g.explore(digits, [images[3], images[5]], port=0, names=["three", "five"])
    yield running
    running.stop()


def asked(server: Server, path: str = "", method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    url = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    connection.putrequest(method, url.path + path if not path.startswith("/") else path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


# -------------------------------------------------------------------------------------------------------- in a browser


@pytest.mark.slow
@pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)
def test_the_page_asks_and_shows_the_same(browser: Any, digits: NeuronGraph, server: Server) -> None:
    watched = Watched(browser, server.url)
    watched.search("conv2 0,1,5")
    assert_edges(watched, digits, digits.neuron("conv2", (0, 1, 5)))
    for _ in range(3):
        watched.click("section.in tbody .link")
        assert_edges(watched, digits, int(watched.page.locator("aside").get_attribute("data-neuron")))
    reached = int(watched.page.locator(".thumbnail").first.get_attribute("data-reached"))
    neuron = int(watched.page.locator("aside").get_attribute("data-neuron"))
    assert reached == int(o2g.receptive_field(digits, neuron)["image"].sum())
    watched.page.evaluate(f"window.explore.open({digits.neuron('digit', (3,))})")
    watched.settle()
    watched.click("section.trace button")
    found = o2g.trace(digits, np.load(FIXTURES / "digits.npz")["x"][3], target=("digit", (3,)), top_k=3)
    assert watched.page.locator("section.trace").get_attribute("data-edges") == str(len(found))
    watched.page.get_by_role("tab", name="Weights").click()
    watched.settle()
    assert "weights of 48 inputs to 10 units" in watched.text("main")
    watched.page.get_by_label("Input", exact=True).select_option("1")
    watched.settle()
    five = o2g.activations(digits, np.load(FIXTURES / "digits.npz")["x"][5]).layer("digit").value[3]
    assert float(watched.page.locator("aside output").get_attribute("data-value")) == pytest.approx(float(five))
    watched.close()


FIRST = """import sys, time, urllib.request, onnx2graphml
server = onnx2graphml.explore(sys.argv[1], "ties", port=0)
before = time.process_time()
urllib.request.urlopen(server.url + "edges?neuron=3421&runs=0").read()
print(time.process_time() - before)
server.stop()"""


@pytest.mark.slow
def test_the_first_answer_is_as_quick_as_any() -> None:
    """In processor time, of the server and of who asks; loading the compiled loops takes half a second."""
    line = [sys.executable, "-c", FIRST, str(FIXTURES / "digits.onnx")]
    taken = float(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    assert taken < 0.3  # the machine may be slow; it is 0.03 here


# ---------------------------------------------------------------------------------------------------------- who may ask


def test_only_this_machine_is_listened_to(server: Server) -> None:
    port = urllib.parse.urlsplit(server.url).port
    assert port is not None
    own = {str(a[4][0]) for a in socket.getaddrinfo(socket.gethostname(), port)} - {"127.0.0.1"}
    for address in ("::1", "127.0.0.2", *own):
        with pytest.raises(OSError, match=r"refused|unreachable|assign|family|timed out"):
            socket.create_connection((address, port), timeout=2)
    socket.create_connection(("127.0.0.1", port), timeout=2).close()


def test_the_token_is_long_random_and_needed(digits: NeuronGraph, server: Server) -> None:
    assert asked(server)[0] == 200
    token = urllib.parse.urlsplit(server.url).path.strip("/")
    assert len(token) >= 32
    for path in ("/", f"/{token[:-1]}/", "/values?run=0&layer=0", "/favicon.ico", f"/{token}x/"):
        status, body = asked(server, path)
        assert status == 404
        assert token.encode() not in body


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "example.org"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1.example.org:{port}"},
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "[::1]:{port}"},
    ],
    ids=str,
)
def test_another_host_or_origin_is_forbidden(server: Server, headers: dict[str, str]) -> None:
    port = urllib.parse.urlsplit(server.url).port
    given = {name: value.format(port=port) for name, value in headers.items()}
    assert asked(server, "values?run=0&layer=0", **given) == (403, b"")
    own = {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}"}
    assert asked(server, "values?run=0&layer=0", **own)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent(server: Server, method: str) -> None:
    assert asked(server, "", method) == (403, b"")


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "web/app.js", "..%2f..%2fetc%2fpasswd", "page"]
)
def test_no_file_is_reached(server: Server, path: str) -> None:
    status, body = asked(server, path)
    assert status == 404
    assert b"root:" not in body


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("values?run=0", "layer is ''; expected a number from 0 to 9"),
        ("values?run=7&layer=0", "run is '7'; expected a number from 0 to 1"),
        ("edges?neuron=3738&runs=0", "neuron is '3738'; expected a number from 0 to 3737"),
        ("edges?neuron=-1&runs=0", "neuron is '-1'"),
        ("neuron?neuron=1&runs=0.9", "runs is '9'"),
        ("field?neuron=1e3", "neuron is '1e3'"),
        ("arrays?model=1&layer=0", "model is '1'; expected a number from 0 to 0"),
        ("trace?run=0&neuron=3730&keep=x", "keep is 'x' and top is ''; expected numbers"),
        ("trace?run=0&neuron=3730&keep=2", "keep is 2.0; expected a share above 0, up to 1"),
    ],
)
def test_a_wrong_question_gets_one_line(server: Server, question: str, message: str) -> None:
    status, body = asked(server, question)
    assert status == 400
    assert message in body.decode()


def test_a_port_that_is_taken(digits: NeuronGraph, server: Server) -> None:
    port = urllib.parse.urlsplit(server.url).port
    with pytest.raises(o2g.OutputError, match=rf"can't listen on port {port}: .*; choose another, or 0 for any"):
        o2g.explore(digits, "ties", port=port)


@pytest.mark.slow
def test_the_command_serves_until_it_is_interrupted() -> None:
    line = [sys.executable, "-m", "onnx2graphml", "explore", str(FIXTURES / "digits.onnx"), "ties", "--port", "0"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = urllib.parse.urlsplit(process.stdout.readline().strip())
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    connection.request("GET", url.path)
    assert connection.getresponse().status == 200
    process.send_signal(2)
    assert process.wait(30) == 0
