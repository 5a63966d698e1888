"""The few words that states, reasons and kinds are told in."""

from __future__ import annotations

from enum import StrEnum


class Word(StrEnum):
    """One of a few words. It hashes as the string that it is: the hash of `Enum` is Python code, and these stand in
    every key of what is counted or remembered per node."""

    __hash__ = str.__hash__


class Kind(Word):
    """What sort of media an asset is, told from its content."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    TEXT = "text"
    OTHER = "other"


class Colour(Word):
    """Plain names of colours: the eleven basic terms of Berlin and Kay (1969), with beige and turquoise, of which
    photographs are full."""

    BLACK = "black"
    GREY = "grey"
    WHITE = "white"
    RED = "red"
    PINK = "pink"
    ORANGE = "orange"
    BROWN = "brown"
    BEIGE = "beige"
    YELLOW = "yellow"
    GREEN = "green"
    TURQUOISE = "turquoise"
    BLUE = "blue"
    PURPLE = "purple"


class Branch(Word):
    """Label of an edge. `PASS` and `FAIL` are also the verdicts a node may give; `ERROR` means that the node raised."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    ERROR = "ERROR"


class State(Word):
    COMPLETED = "COMPLETED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


class Reason(Word):
    """Why a node was SKIPPED."""

    FILTERED = "FILTERED"
    DISABLED = "DISABLED"
    STORED = "STORED"
    NOT_PROCESSABLE = "NOT_PROCESSABLE"
    MISSING_INPUT = "MISSING_INPUT"
    BRANCH_NOT_TAKEN = "BRANCH_NOT_TAKEN"
    UPSTREAM_FAILED = "UPSTREAM_FAILED"
    CANCELLED = "CANCELLED"


class Origin(Word):
    """Where a result used in a run came from."""

    COMPUTED = "COMPUTED"
    CACHED = "CACHED"
    REMOTE = "REMOTE"


class RunState(Word):
    """`QUEUED`: it waits for a worker. A run that is paused is RUNNING."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class LocationState(Word):
    PRESENT = "present"
    MISSING = "missing"
    UNREACHABLE = "unreachable"
