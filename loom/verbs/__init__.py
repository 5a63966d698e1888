"""What one can ask of Loom, as small protocols. `loom.service` answers in process, `loom.client` over HTTP; one
conformance suite drives both. Every verb may raise `LoomError`; every verb that writes may be said twice."""

from __future__ import annotations

from typing import Protocol

from loom.parts import Descriptor as Descriptor
from loom.parts import Extents as Extents
from loom.parts import Parts as Parts
from loom.verbs.actions import Actions as Actions
from loom.verbs.assets import Assets as Assets
from loom.verbs.beside import Belonging as Belonging
from loom.verbs.beside import Neighbour as Neighbour
from loom.verbs.beside import Shot as Shot
from loom.verbs.definitions import Definitions as Definitions
from loom.verbs.duplicates import Duplicates as Duplicates
from loom.verbs.ledger import Ledger as Ledger
from loom.verbs.ledger import NewArtifact as NewArtifact
from loom.verbs.ledger import Taker as Taker
from loom.verbs.library import FINGERPRINTS as FINGERPRINTS
from loom.verbs.library import CopyAt as CopyAt
from loom.verbs.library import Library as Library
from loom.verbs.library import Match as Match
from loom.verbs.limits import Limits as Limits
from loom.verbs.listing import MAX_PAGE as MAX_PAGE
from loom.verbs.listing import PAGE as PAGE
from loom.verbs.people import People as People
from loom.verbs.processes import Processes as Processes
from loom.verbs.runs import Runs as Runs
from loom.verbs.sources import Sources as Sources
from loom.verbs.steering import Steering as Steering
from loom.verbs.workers import Bus as Bus
from loom.verbs.workers import Said as Said
from loom.verbs.workers import Workers as Workers


class Loom(
    Definitions,
    Ledger,
    Runs,
    Steering,
    Assets,
    Workers,
    Sources,
    Limits,
    Bus,
    Duplicates,
    Actions,
    Library,
    People,
    Processes,
    Protocol,
):
    """All of it."""

    def close(self) -> None: ...
