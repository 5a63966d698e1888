"""`cortex people`: people whose faces are in pictures, named, joined and split."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from cortex.cli.options import JSON, LOOM
from loom.ending import in_utf8

if TYPE_CHECKING:
    from loom.people import FaceAt, FaceShape, PersonShape
    from loom.verbs import Loom

WHO = Annotated[str, typer.Argument(metavar="PERSON", help="A person's UUID, or name where only one has it.")]


def people(context: typer.Context, loom: LOOM = None, json: JSON = False) -> int:
    """List people whose faces are in pictures, name, join and split them."""
    return list_(loom, json) if context.invoked_subcommand is None else 0


def list_(loom: LOOM = None, json: JSON = False) -> int:
    """List people, those with the most faces first."""
    from cortex.holding import connect
    from cortex.paging import everything

    found = 0
    with connect(loom) as there:
        for person in everything(there.people):
            found += 1
            _tell(person, json=json)
    if not found and not json:
        typer.echo("no people")
    return 0


def show(person: WHO, loom: LOOM = None, json: JSON = False) -> int:
    """Show the faces of a person, by asset, number and path."""
    from cortex.holding import connect
    from cortex.paging import everything

    with connect(loom) as there:
        meant = _meant(there, person)
        _tell(meant, json=json)
        for face in everything(partial(there.person_faces, meant.uuid)):
            _tell_face(face, json=json)
    return 0


def name(
    person: WHO,
    called: Annotated[str, typer.Argument(metavar="NAME", help="What the person is called; '' takes the name away.")],
    loom: LOOM = None,
    json: JSON = False,
) -> int:
    """Say what a person is called."""
    from cortex.holding import connect

    with connect(loom, write=True) as there:
        _tell(there.name_person(_meant(there, person).uuid, called or None), json=json)
    return 0


def merge(
    person: WHO,
    others: Annotated[list[str], typer.Argument(metavar="OTHER...", help="Who is the same person.")],
    loom: LOOM = None,
    json: JSON = False,
) -> int:
    """Say that people are one, who keeps the first's name."""
    from cortex.holding import connect

    with connect(loom, write=True) as there:
        meant = [_meant(there, one).uuid for one in (person, *others)]
        _tell(there.merge_people(meant[0], meant[1:]), json=json)
    return 0


def split(
    person: WHO,
    faces: Annotated[
        list[str], typer.Argument(metavar="FACE...", help="Faces, as `cortex people show` prints them: ASSET/NUMBER.")
    ],
    loom: LOOM = None,
    json: JSON = False,
) -> int:
    """Say that faces are of somebody else, who is printed."""
    from cortex.holding import connect

    with connect(loom, write=True) as there:
        _tell(there.split_person(_meant(there, person).uuid, [_face(one) for one in faces]), json=json)
    return 0


def _meant(loom: Loom, who: str) -> PersonShape:
    """Raises `NOT_FOUND`, and `USAGE` where several have the name."""
    from loom.errors import LoomError

    try:
        return loom.person(UUID(who))
    except ValueError:
        found = loom.people(name=who, limit=2).items
    if not found:
        raise LoomError("NOT_FOUND", f"nobody is called {who}")
    if len(found) > 1:
        raise LoomError("USAGE", f"several people are called {who}: name one by UUID, as `cortex people` prints it")
    return found[0]


def _face(told: str) -> FaceAt:
    """Raises `USAGE`."""
    from loom.errors import LoomError
    from loom.people import FaceAt

    asset, _, number = told.partition("/")
    try:
        return FaceAt(asset=UUID(asset), number=int(number or 1))
    except ValueError as error:
        raise LoomError("USAGE", f"{told} is no face: name it as ASSET/NUMBER") from error


def _tell(person: PersonShape, *, json: bool) -> None:
    from cortex.report.plain import printable

    if json:
        _print_json(person)
        return
    pictures = f"{person.assets:>5} asset{'s' if person.assets != 1 else ' '}"
    faces = f"{person.faces:>5} face{'s' if person.faces != 1 else ' '}"
    typer.echo(f"{person.uuid}  {faces}  {pictures}  {printable(person.name or '')}".rstrip())


def _tell_face(face: FaceShape, *, json: bool) -> None:
    from cortex.report.plain import printable

    if json:
        _print_json(face)
        return
    path = face.asset.locations[0].path if face.asset.locations else ""
    typer.echo(f"  {face.asset.uuid}/{face.number:<3}  {printable(path)}")


def _print_json(value: PersonShape | FaceShape) -> None:
    import msgspec

    in_utf8(sys.stdout).write(f"{msgspec.json.encode(value).decode()}\n")
