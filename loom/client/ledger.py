"""The worker's side of assets and results, over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

import msgspec

from loom.client.http import Http, path_of
from loom.model import Action, AssetReport, KnownAsset, KnownFile
from loom.verbs import NewArtifact, Taker
from loom.wire.ledger import file_of_wire, known_of_wire, report_to_wire
from loom.wire.reports import AheadWire, action_to_wire
from loom.wire.shapes import (
    ArtifactHead,
    Counted,
    Directories,
    FilesOfHost,
    FilesQuestion,
    FileWire,
    InHandWire,
    KnownAssets,
    KnownFiles,
    KnownPlaces,
    ResultsQuestion,
    RootWire,
    Sizes,
)

_MOST_FILES = 50_000
_MOST_BYTES = 32 * 1024 * 1024


class RemoteLedger:
    """See `loom.verbs.Ledger`."""

    _http: Http

    def known_files(self, host: str, directories: Sequence[bytes], plan: bytes) -> list[list[KnownFile]]:
        question = FilesQuestion(host=host, directories_b64=list(directories), plan=plan.hex())
        answer = self._http.post("/locations/lookup", KnownFiles, question)
        return [[file_of_wire(file) for file in files] for files in answer.items]

    def known_directories(self, host: str, root: bytes) -> list[bytes]:
        return self._http.post("/locations/directories", Directories, RootWire(host=host, root_b64=root)).items_b64

    def known_sizes(self, sizes: Sequence[int]) -> set[int]:
        return set(self._http.post("/assets/sizes", Sizes, Sizes(list(sizes))).sizes)

    def mark_missing(self, host: str, files: Sequence[tuple[bytes, bytes]]) -> int:
        return sum(self._http.post("/locations/missing", Counted, said).count for said in _of_host(host, files))

    def mark_present(self, host: str, files: Sequence[tuple[bytes, bytes]], device: int) -> int:
        told = _of_host(host, files, device)
        return sum(self._http.post("/locations/present", Counted, said).count for said in told)

    def known_places(self, host: str, files: Sequence[tuple[bytes, bytes]]) -> list[bool]:
        answers = (self._http.post("/locations/known", KnownPlaces, asked) for asked in _of_host(host, files))
        return [known for answer in answers for known in answer.known]

    def mark_unreachable(self, host: str, root: bytes, device: int | None = None) -> int:
        said = RootWire(host=host, root_b64=root, device=device)
        return self._http.post("/locations/unreachable", Counted, said).count

    def lookup(
        self,
        assets: Sequence[bytes],
        signatures: Sequence[bytes],
        runs: Sequence[UUID] = (),
        taker: Taker | None = None,
    ) -> list[KnownAsset]:
        question = ResultsQuestion(
            assets=[asset.hex() for asset in assets],
            signatures=[signature.hex() for signature in signatures],
            runs=list(runs),
            taker=None if taker is None else taker.name,
            plan=None if taker is None else taker.plan.hex(),
        )
        answer = self._http.post("/results/lookup", KnownAssets, question)
        return [known_of_wire(known) for known in answer.items]

    def keep_in_hand(self, taker: Taker, assets: Sequence[bytes]) -> None:
        kept = [asset.hex() for asset in assets]
        self._http.tell("/results/in-hand", InHandWire(taker=taker.name, plan=taker.plan.hex(), assets=kept))

    def put_artifacts(self, artifacts: Sequence[NewArtifact]) -> None:
        for large in artifacts:
            if large.parts is not None:
                self._http.upload_parts(path_of("artifacts", large.digest.hex()), large.parts, large.media_type)
        for group in _groups([artifact for artifact in artifacts if artifact.parts is None]):
            if len(group) == 1:
                self._http.upload(
                    "PUT", path_of("artifacts", group[0].digest.hex()), group[0].data, group[0].media_type
                )
            else:
                self._http.upload("POST", "/artifacts", _packed(group), "application/octet-stream")

    def intend(
        self, run: UUID, ahead: Sequence[Action], dropped: Sequence[UUID] = (), *, worker: str | None = None
    ) -> None:
        items = [action_to_wire(action) for action in ahead]
        self._http.tell(path_of("runs", run, "actions"), AheadWire(items=items, dropped=list(dropped), worker=worker))

    def report(self, run: UUID, batch: Sequence[AssetReport], *, worker: str | None = None) -> None:
        for items in _pieces(msgspec.json.encode(report_to_wire(report)) for report in batch):
            self._http.tell("/results", {"run": run, "items": items, "worker": worker})


def _of_host(host: str, files: Sequence[tuple[bytes, bytes]], device: int | None = None) -> Iterator[FilesOfHost]:
    """In pieces of bounded size."""
    for start in range(0, len(files), _MOST_FILES):
        some = files[start : start + _MOST_FILES]
        wires = [FileWire(directory_b64=at, name_b64=name) for at, name in some]
        yield FilesOfHost(host=host, files=wires, device=device)


def _groups(artifacts: Sequence[NewArtifact]) -> Iterator[list[NewArtifact]]:
    """Pieces of bounded size; a file that is larger makes one of its own."""
    group: list[NewArtifact] = []
    size = 0
    for artifact in artifacts:
        if group and size + len(artifact.data) > _MOST_BYTES:
            yield group
            group, size = [], 0
        group.append(artifact)
        size += len(artifact.data)
    if group:
        yield group


def _pieces(items: Iterable[bytes]) -> Iterator[list[msgspec.Raw]]:
    """Reports in JSON, in pieces of bounded size; what was stored of a piece is not stored twice when it is said
    again."""
    piece: list[msgspec.Raw] = []
    size = 0
    for item in items:
        if piece and size + len(item) > _MOST_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(msgspec.Raw(item))
        size += len(item)
    yield piece


def _packed(group: list[NewArtifact]) -> bytes:
    heads = [ArtifactHead(digest=one.digest.hex(), media_type=one.media_type, size=len(one.data)) for one in group]
    return b"\n".join((msgspec.json.encode(heads), b"".join(one.data for one in group)))
