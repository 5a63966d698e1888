"""Order in graphs whose nodes are numbered as their definition lists them. Nothing here calls itself, so that long
chains do not overrun the stack."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

Successors = Sequence[Sequence[int]]
"""For each node those its edges lead to, in ascending order and each once."""


def successors(size: int, edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The successors of each of `size` nodes."""
    found: list[set[int]] = [set() for _ in range(size)]
    for source, target in edges:
        found[source].add(target)
    return [sorted(targets) for targets in found]


def reachable(starts: Iterable[int], after: Successors) -> set[int]:
    """The nodes that can be reached from `starts`, these included."""
    found = set(starts)
    waiting = list(found)
    while waiting:
        for node in after[waiting.pop()]:
            if node not in found:
                found.add(node)
                waiting.append(node)
    return found


def breadth_first(after: Successors) -> list[int]:
    """Topological order by Kahn's algorithm, first in first out. Nodes on or behind a cycle are left out."""
    missing = [0] * len(after)
    for targets in after:
        for target in targets:
            missing[target] += 1
    queue = deque(node for node, count in enumerate(missing) if count == 0)
    order = []
    while queue:
        node = queue.popleft()
        order.append(node)
        for target in after[node]:
            missing[target] -= 1
            if missing[target] == 0:
                queue.append(target)
    return order


def components(after: Successors) -> list[list[int]]:
    """Strongly connected components in topological order, by Tarjan's algorithm (1972) with a stack of its own."""
    number = [-1] * len(after)
    low = [0] * len(after)
    held: list[int] = []
    is_held = [False] * len(after)
    found: list[list[int]] = []
    count = 0
    for start in range(len(after)):
        if number[start] >= 0:
            continue
        way = [(start, 0)]
        while way:
            node, step = way.pop()
            if step == 0:
                number[node] = low[node] = count
                count += 1
                held.append(node)
                is_held[node] = True
            elif is_held[behind := after[node][step - 1]]:
                low[node] = min(low[node], low[behind])
            if step < len(after[node]):
                way.append((node, step + 1))
                if number[ahead := after[node][step]] < 0:
                    way.append((ahead, 0))
            elif low[node] == number[node]:
                found.append(_cut(held, node))
                for member in found[-1]:
                    is_held[member] = False
    return found[::-1]


def _cut(held: list[int], node: int) -> list[int]:
    """Takes everything from `node` on off the stack."""
    taken = [held.pop()]
    while taken[-1] != node:
        taken.append(held.pop())
    return sorted(taken)


def cycles(after: Successors) -> list[list[int]]:
    """One cycle of each knot of nodes: the shortest through its first node, from that node on in the order of the
    edges."""
    found = []
    for members in components(after):
        if len(members) > 1 or members[0] in after[members[0]]:
            found.append(_cycle_through(members[0], set(members), after))
    return sorted(found)


def _cycle_through(first: int, members: set[int], after: Successors) -> list[int]:
    came_from: dict[int, int] = {}
    queue = deque([first])
    while first not in came_from:
        node = queue.popleft()
        for target in after[node]:
            if target in members and target not in came_from:
                came_from[target] = node
                queue.append(target)
    way = [first]
    while (node := came_from[way[-1]]) != first:
        way.append(node)
    return [first, *way[:0:-1]]


def ancestors(after: Successors) -> list[int]:
    """For each node the nodes upstream of it as the bits of a number: bit `n` is set when node `n` is upstream."""
    before: list[list[int]] = [[] for _ in after]
    for node, targets in enumerate(after):
        for target in targets:
            before[target].append(node)
    found = [0] * len(after)
    for members in components(after):
        mask = 0
        for member in members:
            for source in before[member]:
                mask |= found[source] | 1 << source
        for member in members:
            found[member] = mask
    return found


def bits(mask: int) -> list[int]:
    """The numbers of the bits that are set, ascending."""
    digits = bin(mask)[:1:-1]
    found = []
    at = digits.find("1")
    while at >= 0:
        found.append(at)
        at = digits.find("1", at + 1)
    return found
