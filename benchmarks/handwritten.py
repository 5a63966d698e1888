"""The limit: a script for one purpose, written as well as we can, that does the work of the pipeline

    sha256 + metadata + thumbnail(512)

over a folder of photographs: each file is read once, hashed by SHA-256 and BLAKE3, its EXIF is turned into named
values, it is decoded once (scaled, with the parameters of `cortex.media`), and a WebP thumbnail is written; results go
to SQLite in batches. It knows nothing of failures, restarts, duplicates, other formats or other questions.

    python benchmarks/handwritten.py FOLDER OUTPUT [PROCESSES]
"""

from __future__ import annotations

import gc
import hashlib
import io
import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from blake3 import blake3
from PIL import ExifTags, Image

SIZE = 512
CHUNK = 8
BATCH = 256
PIECE = 256 * 1024

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_EXIF, _GPS = 0x8769, 0x8825

Row = tuple[str, int, int, bytes, str, str, str]


def work(path: str, output: str) -> Row:
    """Path, size, mtime, BLAKE3, SHA-256, metadata as JSON, name of the thumbnail."""
    with open(path, "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        data = file.read(status.st_size + 1)
    sha256, own = hashlib.sha256(), blake3()
    whole = memoryview(data)
    for start in range(0, len(data), PIECE):
        piece = whole[start : start + PIECE]
        own.update(piece)
        sha256.update(piece)
    image = Image.open(io.BytesIO(data), formats=("JPEG",))
    exif = image.getexif()
    orientation = exif.get(0x0112, 1)
    metadata = _metadata(image, exif, orientation, len(data))
    if max(image.size) > SIZE:
        image.thumbnail((SIZE, SIZE), Image.Resampling.LANCZOS, reducing_gap=1.0)
    turn = _TURNS.get(orientation)
    buffer = io.BytesIO()
    (image if turn is None else image.transpose(turn)).save(buffer, "WEBP", quality=80, method=0)
    name = blake3(buffer.getvalue()).hexdigest()
    with open(f"{output}/{name}.part", "wb", buffering=0) as thumbnail:
        thumbnail.write(buffer.getbuffer())
    os.rename(f"{output}/{name}.part", f"{output}/{name}.webp")
    return path, len(data), status.st_mtime_ns, own.digest(), sha256.hexdigest(), json.dumps(metadata), name


def _metadata(image: Image.Image, exif: Image.Exif, orientation: int, size: int) -> dict[str, Any]:
    details, place = exif.get_ifd(_EXIF), exif.get_ifd(_GPS)
    width, height = image.size if orientation < 5 else image.size[::-1]
    raw = {ExifTags.TAGS.get(tag, str(tag)): _plain(value) for tag, value in exif.items() if tag not in (_EXIF, _GPS)}
    raw |= {ExifTags.TAGS.get(tag, str(tag)): _plain(value) for tag, value in details.items()}
    raw |= {ExifTags.GPSTAGS.get(tag, str(tag)): _plain(value) for tag, value in place.items()}
    found = {
        "kind": "image", "mime": "image/jpeg", "size": size, "format": "jpeg", "width": width, "height": height,
        "orientation": orientation, "color_mode": image.mode, "frames": 1,
        "camera_make": exif.get(0x10F), "camera_model": exif.get(0x110), "description": exif.get(0x10E),
        "lens": details.get(0xA434), "exposure_s": _number(details.get(0x829A)),
        "aperture": _number(details.get(0x829D)), "iso": details.get(0x8827),
        "focal_length_mm": _number(details.get(0x920A)), "raw": {"exif": raw},
    }  # fmt: skip
    told = [
        {"source": f"exif/{name}", "at": moment + (zone or ""), "zone": zone}
        for name, taken, fraction, zone in (
            ("DateTimeOriginal", details.get(0x9003), details.get(0x9291), details.get(0x9011)),
            ("DateTimeDigitized", details.get(0x9004), details.get(0x9292), details.get(0x9012)),
            ("DateTime", exif.get(0x132), details.get(0x9290), details.get(0x9010)),
        )
        if (moment := _moment(taken, fraction))
    ]
    if told:
        first = told[0]
        found |= {"captured_at": first["at"], "time_zone": first["zone"], "captured_from": first["source"]}
        found["captured_by_all"] = [{key: value for key, value in one.items() if value is not None} for one in told]
    if 2 in place and 4 in place:
        found["latitude"] = _degrees(place[2]) * (-1 if place.get(1) == "S" else 1)
        found["longitude"] = _degrees(place[4]) * (-1 if place.get(3) == "W" else 1)
        found["altitude_m"] = _number(place.get(6))
    return found


def _moment(taken: str | None, fraction: str | None) -> str | None:
    if not taken:
        return None
    moment = datetime.strptime(taken, "%Y:%m:%d %H:%M:%S").replace(microsecond=int(float(f"0.{fraction or 0}") * 1e6))
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, int | str) else float(value)


def _number(value: Any) -> float | None:
    return None if value is None else round(float(value), 6)


def _degrees(value: Any) -> float:
    degrees, minutes, seconds = value
    return round(float(degrees) + float(minutes) / 60 + float(seconds) / 3600, 7)


def work_chunk(paths: list[str], output: str) -> list[Row]:
    return [work(path, output) for path in paths]


def prepare() -> None:
    """Once in each process: the decoders are loaded, and cycles are not looked for all the time."""
    Image.preinit()
    gc.freeze()


def files(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            if not name.startswith("."):
                yield f"{parent}/{name}"


def main(folder: str, output: str, processes: int) -> int:
    thumbnails = Path(output) / "thumbnails"
    thumbnails.mkdir(parents=True)
    database = sqlite3.connect(Path(output) / "results.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.execute(
        "CREATE TABLE photo (path TEXT PRIMARY KEY, size INTEGER, mtime INTEGER, blake3 BLOB, sha256 TEXT,"
        " metadata TEXT, thumbnail TEXT)"
    )
    paths = list(files(folder))
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    waiting: list[Row] = []
    with ProcessPoolExecutor(processes, initializer=prepare) as pool:
        for rows in pool.map(work_chunk, chunks, [str(thumbnails)] * len(chunks)):
            waiting += rows
            if len(waiting) >= BATCH:
                _store(database, waiting)
                waiting = []
    _store(database, waiting)
    database.close()
    return len(paths)


def _store(database: sqlite3.Connection, rows: list[Row]) -> None:
    database.execute("BEGIN")
    database.executemany("INSERT INTO photo VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    database.execute("COMMIT")


if __name__ == "__main__":
    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else len(os.sched_getaffinity(0))
    print(main(sys.argv[1], sys.argv[2], jobs))
