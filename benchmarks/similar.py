"""Finding what is alike: how long a look-up takes among 1,000,000 fingerprints, and how well copies are found.

    python benchmarks/similar.py [SECTION...] [--rounds N] [--json FILE]

lookup      Loom over SQLite with 1,000,000 hashes of pictures and as many fingerprints of films: the first look-up of a
            process, which reads them all, further ones, and those after new ones came; beside it an index in SQL, where
            the 64 bits stand as four numbers of 16: if two hashes differ by 8 bits, two of their numbers differ by two
vectors     the 256 nearest of 100,000 and of 1,000,000 vectors of 128 numbers, as of faces: the first question of a
            process, which reads them all, and further ones
pictures    copies of real photographs, rescaled, re-encoded, cropped, mirrored and graded: how many `image.phash`
            misses within the distance that is the default, and which pairs of different photographs it takes for copies
films       the same for `video.fingerprint` and pieces of real films
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import combinations
from statistics import median, quantiles

import alike
from figures import Figure, report
from fingerprintstore import Bands, filled, near_one_of
from photos import corpus
from vectorstore import filled as filled_with_vectors

from cortex.operators.similarity.likeness import DISTANCES

LOOKUPS = 100
GOAL_MS = 50.0
COPIED = 120
"""Photographs of which copies are made; with all of the corpus those are counted that are taken for copies."""
WITHIN = (4, 6, 8, 10, 12, 14, 16)
PICTURES, FILMS = "image.phash", "video.fingerprint"


def lookup(rounds: int) -> list[Figure]:
    with filled() as store:
        first = _took(lambda: store.loom.similar(PICTURES, near_one_of(store.hashes, 0), 8))
        figures = [Figure("the first of a process, which reads all", first / 1000, "s")]
        for kind, values in ((PICTURES, store.hashes), (FILMS, store.films)):
            if not store.loom.similar(kind, near_one_of(values, 0), DISTANCES[kind]):
                raise SystemExit(f"nothing is found by {kind}")
            took = [
                _took(partial(store.loom.similar, kind, near_one_of(values, number), DISTANCES[kind]))
                for number in range(LOOKUPS * rounds)
            ]
            figures += _times(f"{kind} within {DISTANCES[kind]}", took, GOAL_MS)
        after = []
        for number in range(10 * rounds):
            store.add(192)
            after.append(_took(partial(store.loom.similar, PICTURES, near_one_of(store.hashes, number), 8)))
        figures += _times("after 192 new ones", after, GOAL_MS)
        bands = Bands(store)
        in_sql = [_took(partial(bands.near, near_one_of(store.hashes, number), 8)) for number in range(20 * rounds)]
        return [*figures, *_times("an index in SQL, within 8", in_sql), Figure("which takes", bands.size_mb, "MB")]


def pictures(_: int) -> list[Figure]:
    photos = sorted(corpus().rglob("IMG_*.jpg"), key=lambda path: path.name)
    known = [alike.values_of_picture(path) for path in photos]
    apart: dict[str, list[int]] = {name: [] for name in alike.PICTURES}
    for path, values in zip(photos[:COPIED], known, strict=False):
        picture = alike.opened(path)
        for name, change in alike.PICTURES.items():
            apart[name].append(alike.distance(values, alike.values_of_picture(change(picture))))
    figures = [figure for name, found in apart.items() for figure in _missed(name, found, DISTANCES[PICTURES])]
    pairs = combinations(enumerate(known), 2)
    strangers = [alike.distance(one, other) for (a, one), (b, other) in pairs if (a - b) % alike.ORIGINALS]
    return figures + _taken_for_copies(strangers)


def vectors(rounds: int) -> list[Figure]:
    figures: list[Figure] = []
    for count in (100_000, 1_000_000):
        with filled_with_vectors(count) as faces:
            first = _took(lambda: faces.near(256, 0.5))
            took = [_took(lambda: faces.near(256, 2.0)) for _ in range(LOOKUPS * rounds)]
        figures.append(Figure(f"of {count:,}, the first", first / 1000, "s"))
        figures += _times(f"of {count:,}, the 256 nearest", took)
    return figures


def films(_: int) -> list[Figure]:
    pieces = alike.pieces_of_films()
    known = [alike.values_of_film(piece.frames) for piece in pieces]
    figures: list[Figure] = []
    for name, change in alike.FILMS.items():
        changed = (alike.values_of_film(change.frames(piece.frames), change.form) for piece in pieces)
        apart = [alike.distance(values, copy) for values, copy in zip(known, changed, strict=True)]
        figures += _missed(name, apart, DISTANCES[FILMS])
    pairs = combinations(zip(pieces, known, strict=True), 2)
    strangers = [alike.distance(a, b) for (one, a), (other, b) in pairs if one.film != other.film]
    return figures + _taken_for_copies(strangers)


def _took(work: Callable[[], object]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _times(name: str, took: list[float], goal: float | None = None) -> list[Figure]:
    return [
        Figure(f"{name}: median", median(took), "ms", goal),
        Figure(f"{name}: 95 of 100 take at most", quantiles(took, n=20)[-1], "ms", goal),
    ]


def _missed(name: str, apart: list[int], default: int) -> list[Figure]:
    missed = 100 * sum(distance > default for distance in apart) / len(apart)
    return [
        Figure(f"{name}: missed within {default}", missed, "%"),
        Figure(f"{name}: 95 of 100 differ by at most", quantiles(apart, n=20)[-1], "bits"),
    ]


def _taken_for_copies(apart: list[int]) -> list[Figure]:
    taken = [
        Figure(f"of a million, within {within}", 1e6 * sum(d <= within for d in apart) / len(apart), "")
        for within in WITHIN
    ]
    nearest = Figure("the nearest two of them differ by", min(apart), "bits")
    return [Figure("pairs of different ones, compared", len(apart), ""), nearest, *taken]


if __name__ == "__main__":
    report(__doc__, {"lookup": lookup, "vectors": vectors, "pictures": pictures, "films": films})
