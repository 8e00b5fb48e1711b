"""Measure the measures of network analysis beside networkx and igraph, and write a section of docs/benchmark.md.

    python tools/benchmark_measures.py --output docs/benchmark.md

Every program takes its measures in a process of its own, one after the other: this package on the structure of VGG16,
and each program on the largest relative of VGG16 that it holds in a few gigabytes and minutes, where this package is
timed as well. A graph is made before the clock starts, loops are compiled, and the clock is the wall's. NetworkX's
PageRank and Katz centrality iterate; they are asked for 10 digits.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TITLE = "## Network analysis"
NETWORKS = {
    "digits": "digits.onnx",
    "small": (32, 16, 64),
    "medium": (64, 8, 256),
    "VGG16": (224, 1, 4096),
}
"""A fixture, or side, share of the channels and dense neurons of a relative of VGG16."""
PEERS = {"networkx": "small", "igraph": "medium"}
SLOW = ("betweenness", "closeness")
"""On the fixture: a peer goes from neuron to neuron."""
Times = dict[str, tuple[float, str]]
Measures = dict[str, Callable[[], Any]]


def ours(graph: Any) -> Measures:
    """This package."""
    from onnx2graphml import measures as m

    source = graph.neurons // 50
    return {
        "in- and out-degrees": lambda: (m.in_degree(graph), m.out_degree(graph)),
        "PageRank": lambda: m.pagerank(graph),
        "PageRank, abs_weight": lambda: m.pagerank(graph, weight="abs_weight"),
        "Katz centrality": lambda: m.katz_centrality(graph, alpha=1e-3),
        "descendants of a neuron": lambda: m.descendants(graph, source),
        "a shortest path": lambda: m.shortest_path(graph, source, graph.neurons - 1),
        "longest path by weight": lambda: m.dag_longest_path_length(graph),
        "weak components": lambda: m.number_weakly_connected_components(graph),
        "degree assortativity": lambda: m.degree_assortativity_coefficient(graph),
        "number of paths, exact": lambda: m.number_of_paths(graph),
        "neural persistence": lambda: m.neural_persistence(graph),
        "betweenness": lambda: m.betweenness_centrality(graph),
        "closeness": lambda: m.closeness_centrality(graph),
    }


def by_networkx(graph: Any) -> Measures:
    """NetworkX."""
    import networkx as nx

    g = nx.DiGraph()
    g.add_nodes_from(range(graph.neurons))
    g.add_edges_from((u, v, {"weight": w, "abs_weight": abs(w)}) for u, v, w in graph.weighted_edges())
    source = graph.neurons // 50
    accurate = {"tol": 1e-10, "max_iter": 1000}
    return {
        "in- and out-degrees": lambda: (dict(g.in_degree()), dict(g.out_degree())),
        "PageRank": lambda: nx.pagerank(g, weight=None, **accurate),
        "PageRank, abs_weight": lambda: nx.pagerank(g, weight="abs_weight", **accurate),
        "Katz centrality": lambda: nx.katz_centrality(g, alpha=1e-3, **accurate),
        "descendants of a neuron": lambda: nx.descendants(g, source),
        "a shortest path": lambda: nx.shortest_path(g, source, graph.neurons - 1),
        "longest path by weight": lambda: nx.dag_longest_path_length(g),
        "weak components": lambda: nx.number_weakly_connected_components(g),
        "degree assortativity": lambda: nx.degree_assortativity_coefficient(g),
        "betweenness": lambda: nx.betweenness_centrality(g),
        "closeness": lambda: nx.closeness_centrality(g),
    }


def by_igraph(graph: Any) -> Measures:
    """igraph, in C."""
    import igraph
    import numpy as np

    edges = [
        np.stack([e.source + graph.layer(i.source).first_id, e.target + x.first_id], 1)
        for x in graph.layers
        for i, e in graph.edges_into(x)
    ]
    weights = np.concatenate([np.abs(e.weight) for x in graph.layers for _, e in graph.edges_into(x)])
    g = igraph.Graph(graph.neurons, np.concatenate(edges), directed=True)
    source, weighted = graph.neurons // 50, weights.tolist()
    return {
        "in- and out-degrees": lambda: (g.indegree(), g.outdegree()),
        "PageRank": lambda: g.pagerank(),
        "PageRank, abs_weight": lambda: g.pagerank(weights=weighted),
        "descendants of a neuron": lambda: g.subcomponent(source, mode="out"),
        "a shortest path": lambda: g.get_shortest_path(source, graph.neurons - 1),
        "weak components": lambda: len(g.connected_components(mode="weak")),
        "degree assortativity": lambda: g.assortativity_degree(directed=True),
        "betweenness": lambda: g.betweenness(),
        "closeness": lambda: g.closeness(mode="in"),
    }


TOOLS = {"ours": ours, "networkx": by_networkx, "igraph": by_igraph}


def made(name: str) -> Any:
    """A network."""
    from make_vgg16 import vgg16
    from onnx2graphml.api import load

    what = NETWORKS[name]
    return load(HERE.parent / "fixtures" / what) if isinstance(what, str) else load(vgg16(*what))


def measure(tool: str, network: str, names: list[str]) -> dict[str, Any]:
    """In a process of its own: seconds by measure, and the graph's size and the peak of memory."""
    from benchmark import peak

    if tool == "ours":
        for call in ours(made("digits")).values():
            call()  # compiles
    graph = made(network)
    calls, seconds, processor = TOOLS[tool](graph), {}, {}
    for name, call in calls.items():
        if not names or name in names:
            clock, used = time.perf_counter(), time.process_time()
            call()
            seconds[name], processor[name] = time.perf_counter() - clock, time.process_time() - used
    return {"seconds": seconds, "processor": processor, "neurons": graph.neurons, "edges": graph.edges, "peak": peak()}


def measured(tool: str, network: str, names: list[str]) -> dict[str, Any]:
    """The same, from the parent."""
    print(f"{tool} on {network}", file=sys.stderr, flush=True)
    command = [sys.executable, __file__, "--case", json.dumps([tool, network, names])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def times(ratio: float) -> str:
    """How many times as fast."""
    return f"{ratio:,.2g}x" if ratio < 100 else f"{ratio:,.0f}x"


def section() -> str:
    """The section's text."""
    from benchmark import machine, markdown

    whole = measured("ours", "VGG16", [])
    quick = [name for name in whole["seconds"] if name not in SLOW]
    runs = {}
    for peer, network in PEERS.items():
        for names, on in ((quick, network), (list(SLOW), "digits")):
            for tool in (peer, "ours"):
                runs[peer, tool, on] = measured(tool, on, names)
    rows = []
    for name, seconds in whole["seconds"].items():
        row = [name, f"{seconds:.2f} s", f"{whole['processor'][name]:.2f} s"]
        for peer, network in PEERS.items():
            on = "digits" if name in SLOW else network
            theirs, own = (runs[peer, tool, on]["seconds"].get(name) for tool in (peer, "ours"))
            row += [f"{theirs:.3g} s", f"{own:.3g} s", times(theirs / own)] if theirs else ["", "", ""]
        rows.append(row)
    head = [
        "measure",
        "VGG16",
        "its processor time",
        *(t for peer in PEERS for t in (peer, "this package there", "ratio")),
    ]
    sizes = {n: next(r for (_, _, on), r in runs.items() if on == n) for n in ("digits", *PEERS.values())}
    sized = "; ".join(f"{n}: {r['neurons']:,} neurons, {r['edges']:,} edges" for n, r in sizes.items())
    told = (
        f"Made by `tools/benchmark_measures.py` in one run, which tells how. Machine: {machine()}; it had other work, "
        f"too. VGG16 has {whole['neurons']:,} neurons and {whole['edges']:,} edges here, and random weights; in one "
        f"process, all its measures took at most {whole['peak'] / 1e9:.1f} GB. NetworkX is timed on "
        f"*{PEERS['networkx']}* and igraph on *{PEERS['igraph']}*, relatives of VGG16, both for "
        f"{' and '.join(SLOW)} on *digits* ({sized})."
    )
    return "\n\n".join([TITLE, told, markdown(head, rows)]) + "\n"


def main() -> None:
    """Measure, and put the section at the end of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="a Markdown file whose section is replaced (default: print it)")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case:
        print(json.dumps(measure(*json.loads(given.case))))
        return
    text = section()
    if given.output is None:
        print(text, end="")
        return
    before = ""
    with contextlib.suppress(FileNotFoundError):
        before = given.output.read_text(encoding="utf-8").split(TITLE)[0].rstrip() + "\n\n"
    given.output.write_text(before + text, encoding="utf-8")


if __name__ == "__main__":
    main()
