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
    "would_write": None,
}  # fmt: skip


def test_it_says_what_happened() -> None:
    text = "\n".join(in_words(SUMMARY))
    assert "12 files seen, 120.6 KB read in 1.9 s" in text
    assert "10 new, 2 unchanged, 1 failed" in text
    assert "sha256" in text


def test_an_unchanged_folder_is_said_in_one_sentence() -> None:
    nothing = {"sha256": dict.fromkeys(("computed", "cached", "remote", "skipped", "failed"), 0)}
    assert "nothing was computed" in in_words({**SUMMARY, "nodes": nothing})[-1]


def test_where_there_is_no_file_it_says_so() -> None:
    empty = {**SUMMARY, "nodes": {"sha256": {"computed": 0}}, "assets": {**SUMMARY["assets"], "seen": 0}}  # type: ignore[dict-item]
    assert in_words(empty)[-1] == "  no file was found"
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
