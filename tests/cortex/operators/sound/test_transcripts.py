from __future__ import annotations

import json

from cortex.operators.sound.transcripts import Said, as_json, as_srt, as_text, as_vtt

SAID = [Said(0.0, 1.5, "Some <words> & more", 0.91239), Said(3599.9996, 7322.0404, "a\n\n--> b", 0.5)]


def test_subtitles() -> None:
    assert as_srt(SAID).decode() == (
        "1\n00:00:00,000 --> 00:00:01,500\nSome <words> & more\n\n2\n01:00:00,000 --> 02:02:02,040\na → b\n"
    )
    assert as_vtt(SAID).decode() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nSome &lt;words&gt; &amp; more\n\n"
        "01:00:00.000 --> 02:02:02.040\na → b\n"
    )


def test_json_and_text() -> None:
    told = json.loads(as_json(SAID[:1], "en"))
    assert told == {
        "language": "en",
        "segments": [{"start": 0.0, "end": 1.5, "text": "Some <words> & more", "sure": 0.912}],
    }
    assert as_text([Said(0, 1, "one", 1), Said(1, 2, "two", 1)]) == "one two"
