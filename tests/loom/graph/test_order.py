"""Random graphs keep the invariants of order: 300 in the quick run, 10,000 in the slow one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.graph.order import ancestors, bits, breadth_first, components, cycles, reachable, successors

MAX_NODES = 12


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    size = draw(st.integers(1, MAX_NODES))
    node = st.integers(0, size - 1)
    edges = draw(st.lists(st.tuples(node, node), max_size=2 * size, unique=True))
    if draw(st.booleans()):
        names = draw(st.permutations(range(size)))
        edges = [(a, b) for a, b in edges if names[a] < names[b]]
    return size, edges


def reach_by_hand(size: int, edges: list[tuple[int, int]]) -> list[set[int]]:
    """Warshall's transitive closure: what can be reached from each node by at least one edge."""
    found = [{b for a, b in edges if a == node} for node in range(size)]
    for middle in range(size):
        for node in range(size):
            if middle in found[node]:
                found[node] |= found[middle]
    return found


def check_order(graph: tuple[int, list[tuple[int, int]]]) -> None:
    size, edges = graph
    after = successors(size, edges)
    reach = reach_by_hand(size, edges)
    looping = {node for node in range(size) if node in reach[node]}

    order = breadth_first(after)
    at = {node: index for index, node in enumerate(order)}
    assert len(at) == len(order)
    assert set(order) == set(range(size)) - looping - {b for a in looping for b in reach[a]}
    assert all(at[a] < at[b] for a, b in edges if a in at and b in at)

    assert reachable([0], after) == reach[0] | {0}
    assert [set(bits(mask)) for mask in ancestors(after)] == [
        {a for a in range(size) if b in reach[a]} for b in range(size)
    ]

    parts = components(after)
    place = {node: index for index, part in enumerate(parts) for node in part}
    assert sorted(node for part in parts for node in part) == list(range(size))
    assert all(place[a] <= place[b] for a, b in edges)

    found = cycles(after)
    assert bool(found) == bool(looping)
    for cycle in found:
        assert len(set(cycle)) == len(cycle)
        assert all(pair in edges for pair in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    knots = {frozenset(n for n in looping if n in reach[c[0]] and c[0] in reach[n]) for c in found}
    assert set().union(*knots) == looping
    assert len(knots) == len(found)


def check_compiled(graph: tuple[int, list[tuple[int, int]]], compiled: Any, make: Any) -> None:
    """The first node is the source; edges into it are left out."""
    size, edges = graph
    edges = [(a, b) for a, b in edges if b != 0]
    nodes = {f"n{i}": "hash.sha256" if i else "source.files" for i in range(size)}
    document = make(nodes, " ".join(f"n{a}>n{b}" for a, b in edges))
    result = compiled(document)
    assert compiled(document) == result
    reach = reach_by_hand(size, edges)
    codes = {code: {d.node for d in result.diagnostics if d.code == code} for code in ("NODE_UNREACHABLE", "CYCLE")}
    assert codes["NODE_UNREACHABLE"] == {f"n{i}" for i in range(1, size) if i not in reach[0]}
    assert bool(codes["CYCLE"]) == any(i in reach[i] for i in range(size))
    if result.plan is None:
        assert result.diagnostics
        return
    steps = [int(step.node[1:]) for step in result.plan.steps]
    assert sorted([0, *steps]) == list(range(size))
    at = {node: index for index, node in enumerate([0, *steps])}
    assert all(at[a] < at[b] for a, b in edges)
    assert [step.index for step in result.plan.steps] == list(range(size - 1))


@given(graph=graphs())
@settings(max_examples=300)
def test_orders_of_random_graphs_keep_the_invariants(graph: Any) -> None:
    check_order(graph)


@given(graph=graphs())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_plans_of_random_graphs_keep_the_invariants(graph: Any, compiled: Any, make: Any) -> None:
    check_compiled(graph, compiled, make)


@pytest.mark.slow
@pytest.mark.timeout(600)
@given(graph=graphs())
@settings(max_examples=10_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ten_thousand_random_graphs_keep_the_invariants(graph: Any, compiled: Any, make: Any) -> None:
    check_order(graph)
    check_compiled(graph, compiled, make)


def test_nodes_run_breadth_first_in_the_order_of_the_definition() -> None:
    """The source, then both its successors in the order of listing whatever the order of edges, then theirs."""
    after = successors(6, [(5, 1), (0, 3), (0, 2), (3, 1), (2, 4), (2, 5)])
    assert breadth_first(after) == [0, 2, 3, 4, 5, 1]


def test_the_cycle_named_is_the_shortest_through_its_first_node() -> None:
    after = successors(5, [(0, 1), (1, 2), (2, 3), (3, 1), (2, 4), (4, 1), (3, 0), (4, 4)])
    assert cycles(after) == [[0, 1, 2, 3]]


def test_long_chains_do_not_overrun_the_stack() -> None:
    size = 50_000
    after = successors(size, [(i, i + 1) for i in range(size - 1)])
    assert breadth_first(after) == list(range(size))
    assert cycles(successors(size, [(i, (i + 1) % size) for i in range(size)])) == [list(range(size))]
