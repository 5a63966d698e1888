import pytest

from cortex.report.summary import human_bytes, human_seconds, in_words

SUMMARY = {
    "run": "u",
    "pipeline": "ingest",
    "version": 1,
    "runs": ["u"],
    "dry_run": False,
    "state": "PARTIAL",
    "assets": {
        "seen": 12, "new": 10, "unchanged": 2, "moved": 0, "completed": 11, "failed": 1, "failed_before": 0,
        "unreadable": 0, "unmatched": 0,
    },
    "nodes": {"sha256": {"computed": 10, "cached": 0, "remote": 0, "skipped": 0, "failed": 0}},
    "bytes": 123456,
    "seconds": 1.9,
    "unreachable": [],
    "passed_over": 0, "spent": None,
    "would_write": None,
}  # fmt: skip


def test_it_says_what_happened() -> None:
    text = "\n".join(in_words(SUMMARY))
    assert "12 files seen, 120.6 KB read in 1.9 s" in text
    assert "10 new, 2 unchanged, 1 failed" in text
    assert text.splitlines()[-2:] == ["  node    computed", "  sha256        10"]


def test_a_column_stands_there_where_it_says_something() -> None:
    some = {"computed": 1200, "cached": 0, "remote": 30, "skipped": 0, "failed": 2}
    none = dict.fromkeys(some, 0)
    table = in_words({**SUMMARY, "nodes": {"sha256": some, "thumbnail": none}})[-3:]
    assert table == [
        "  node       computed  from Loom  failed",
        "  sha256        1,200         30       2",
        "  thumbnail         0          0       0",
    ]


def test_files_that_were_known_but_not_done_are_counted() -> None:
    counts = dict.fromkeys(SUMMARY["assets"], 0)
    known = {**counts, "seen": 35, "unchanged": 2, "moved": 1, "completed": 35}
    assert in_words({**SUMMARY, "assets": known})[1] == (
        "  0 new, 2 unchanged, 32 known with work left, 1 at a new path, 0 failed"
    )
    unread = {**counts, "seen": 35, "unchanged": 34, "unreadable": 1}
    assert in_words({**SUMMARY, "assets": unread})[1] == "  0 new, 34 unchanged, 0 failed, 1 unreadable"


def test_how_it_ended_is_said_in_words() -> None:
    ends = {"COMPLETED": "completed", "PARTIAL": "completed, but some failed", "CANCELLED": "was stopped"}
    for state, words in ends.items():
        assert in_words({**SUMMARY, "state": state})[0].startswith(f"Run of pipeline ingest {words}: 12 files seen")


NOTHING = {"sha256": dict.fromkeys(("computed", "cached", "remote", "skipped", "failed"), 0)}


@pytest.mark.parametrize(
    ("counts", "state", "why"),
    [
        ({"seen": 2, "unchanged": 2}, "COMPLETED", ": every file is as Loom knows it"),
        ({"seen": 2, "unchanged": 2, "failed_before": 1}, "COMPLETED",
         ": every file is as Loom knows it; what failed before is tried again by `cortex failures --retry`"),
        ({"seen": 2, "unreadable": 2}, "PARTIAL", ": 2 files could not be read"),
        ({"unreadable": 1}, "PARTIAL", ": 1 file could not be read"),
        ({"seen": 3, "unchanged": 2, "unreadable": 1}, "PARTIAL",
         ": 1 file could not be read, 2 files are as Loom knows them"),
        ({"seen": 2, "unchanged": 1, "unmatched": 1}, "COMPLETED",
         ": no pipeline is for 1 file, 1 file is as Loom knows it"),
        ({"seen": 2, "unchanged": 2}, "CANCELLED", ": 2 files are as Loom knows them"),
        ({}, "CANCELLED", ""),
        ({"seen": 1}, "FAILED", ""),
    ],
)  # fmt: skip
def test_why_nothing_was_computed_is_said_in_one_sentence(counts: dict[str, int], state: str, why: str) -> None:
    assets = {**dict.fromkeys(SUMMARY["assets"], 0), **counts}  # type: ignore[call-overload]
    told = in_words({**SUMMARY, "nodes": NOTHING, "assets": assets, "state": state})
    assert told[-1] == f"  nothing was computed{why}"


def test_where_there_is_no_file_it_says_so() -> None:
    empty = {**SUMMARY, "nodes": {"sha256": {"computed": 0}}, "assets": {**SUMMARY["assets"], "seen": 0}}  # type: ignore[dict-item]
    assert in_words(empty)[-1] == "  no file was found"
    assert "  2 pipes, sockets and devices were passed over" in in_words({**empty, "passed_over": 2})
    assert "1 source could not be read" in "\n".join(in_words({**empty, "unreachable": ["/away"]}))


def test_a_dry_run_says_what_would_be_written() -> None:
    would = {"results": 3, "locations": 1, "artifacts": 1, "bytes": 2048, "effects": ["add to collection x"]}
    text = "\n".join(in_words({**SUMMARY, "dry_run": True, "would_write": would}))
    assert text.startswith("Dry run of")
    assert "3 results, 1 location, 1 derived file (2.0 KB)" in text
    assert "would add to collection x" in text


def test_numbers_are_for_people() -> None:
    assert [human_bytes(n) for n in (0, 1023, 1536, 5 * 1024**3)] == ["0 bytes", "1023 bytes", "1.5 KB", "5.0 GB"]
    assert [human_seconds(n) for n in (0.31, 59.9, 200, 18_420)] == ["0.3 s", "59.9 s", "3 min 20 s", "5 h 7 min"]
