"""What operators ask of all that Loom has: where copies lie, and what is alike."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from loom.api.answers import answer, route
from loom.api.bodies import PeoplesBody, decoded
from loom.api.serving import TheLoom
from loom.wire.beside import BesideQuestion, Grouped, GroupWire, Neighbours, neighbour_to_wire
from loom.wire.library import (
    Copies,
    CopiesQuestion,
    Matches,
    ProposalWire,
    Proposed,
    SimilarQuestion,
    copy_to_wire,
    match_to_wire,
)
from loom.wire.people import FacesWire, SortedFaces, sorted_to_wire
from loom.wire.values import bytes_of, digest_of

router = APIRouter(prefix="/library", tags=["library"])


@router.post("/copies", **route(Copies, CopiesQuestion))
def copies(loom: TheLoom, body: PeoplesBody) -> Response:
    """The present files of an asset on all hosts, those left out that were put aside as duplicates."""
    asked = decoded(body, CopiesQuestion)
    return answer(Copies([copy_to_wire(copy) for copy in loom.copies(digest_of(asked.asset))]))


@router.post("/similar", **route(Matches, SimilarQuestion))
def similar(loom: TheLoom, body: PeoplesBody) -> Response:
    """The assets of which a stored fingerprint is near this one, the nearest first."""
    asked = decoded(body, SimilarQuestion)
    found = loom.similar(asked.kind, bytes_of(asked.value), asked.distance, asked.limit)
    return answer(Matches([match_to_wire(match) for match in found]))


@router.post("/beside", **route(Neighbours, BesideQuestion))
def beside(loom: TheLoom, body: PeoplesBody) -> Response:
    """What an asset may belong to, by name, time and identifier."""
    asked = decoded(body, BesideQuestion)
    return answer(Neighbours([neighbour_to_wire(one) for one in loom.beside(digest_of(asked.asset))]))


@router.post("/groups", **route(Grouped, GroupWire))
def group(loom: TheLoom, body: PeoplesBody) -> Response:
    """Says that assets belong together; may be said again."""
    said = decoded(body, GroupWire)
    anchor = None if said.anchor is None else digest_of(said.anchor)
    return answer(Grouped(loom.group(said.kind, anchor, [(digest_of(one.asset), one.role) for one in said.members])))


@router.post("/faces", **route(SortedFaces, FacesWire))
def sort_faces(loom: TheLoom, body: PeoplesBody) -> Response:
    """Puts the faces of an asset with the people they are of; may be said again."""
    said = decoded(body, FacesWire)
    found = loom.sort_faces(digest_of(said.asset), said.model, said.vectors, said.distance)
    return answer(SortedFaces([sorted_to_wire(one) for one in found]))


@router.post("/proposals", **route(Proposed, ProposalWire))
def propose(loom: TheLoom, body: PeoplesBody) -> Response:
    """Puts a group of duplicates before people, once."""
    said = decoded(body, ProposalWire)
    return answer(Proposed(loom.propose(said.kind, [(digest_of(one.asset), one.distance) for one in said.members])))
