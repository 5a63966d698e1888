from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

import pytest

from cortex.node import NodeContext
from cortex.operators.sinks.naming import fields_of, nodes_named, render
from loom.errors import LoomError
from loom.model import Kind

ASSET = SimpleNamespace(uuid=UUID("0f0e0d0c-0b0a-8908-8706-050403020100"), blake3=bytes(range(32)))
PHOTO = SimpleNamespace(path="/photos/in/cup (1).JPG", kind=Kind.IMAGE, asset=ASSET)
METADATA = {
    "captured_at": "2024-05-17T14:03:21.250+02:00",
    "title": " A/B: <naïve>\n“café”. ",
    "iso": 50,
    "flash": True,
}


def named(template, missing=None, path=PHOTO.path, **metadata):
    media = SimpleNamespace(**{**vars(PHOTO), "path": path})
    return "/".join(render(template, NodeContext("copy", {"metadata": {**METADATA, **metadata}}), media, missing))


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{name}", "cup (1).JPG"),
        ("{captured_at:%Y/%m}/{name}", "2024/05/cup (1).JPG"),
        ("{metadata.captured_at:%Y-%m-%d %H.%M}{suffix}", "2024-05-17 14.03.JPG"),
        ("{kind}/{stem}-{blake3:8}{suffix}", "image/cup (1)-00010203.JPG"),
        ("{asset}{suffix}", "0f0e0d0c-0b0a-8908-8706-050403020100.JPG"),
        ("{blake3:2}/{blake3}", f"00/{bytes(range(32)).hex()}"),
        ("{metadata.title}{suffix}", "A_B_ _naïve_ “café”.JPG"),
        ("{metadata.title:3}", "A_B"),
        ("{metadata.iso:5}-{metadata.flash}", "00050-yes"),
        ("{{x}}/{name}", "{x}/cup (1).JPG"),
    ],
)
def test_names(template, name):
    assert named(template) == name


def test_a_file_without_an_ending_has_none():
    assert named("{stem}{suffix}", path="/photos/README") == "README"


def test_a_name_that_is_no_utf_8_stays_as_it_is():
    assert named("{name}", path="/photos/caf\udce9.jpg") == "caf\udce9.jpg"


@pytest.mark.parametrize("value", [None, "", "...", "yesterday", ["2024-05-17"], {"a": 1}])
def test_a_value_that_is_not_there(value):
    assert named("{captured_at:%Y}/{name}", missing="undated", captured_at=value) == "undated/cup (1).JPG"
    with pytest.raises(LoomError, match=r"there is no value for \{captured_at\}") as error:
        named("{captured_at:%Y}/{name}", captured_at=value)
    assert error.value.code == "OPERATOR_FAILED"


@pytest.mark.parametrize("title", ["..", "../../etc/passwd", "/etc/passwd", ".hidden", "a\0b"])
def test_no_value_leads_elsewhere(title):
    name = named("{metadata.title}/{name}", missing="none", title=title)
    assert name.count("/") == 1
    assert not name.startswith(".")


def test_a_name_that_is_too_long():
    with pytest.raises(LoomError, match="cannot be the name") as error:
        named("{metadata.title}{metadata.title}{metadata.title}", title="ä" * 100)
    assert error.value.code == "OPERATOR_FAILED"


def test_the_nodes_of_a_template():
    assert nodes_named("{captured_at:%Y}/{quality.x}/{other.y.z}/{name}") == ("metadata", "other", "quality")
    assert nodes_named("{name}") == ()


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("/{name}", "below the folder"),
        ("../{name}", "below the folder"),
        ("a//{name}", "below the folder"),
        ("{kind}/", "below the folder"),
        ("", "below the folder"),
        ("{name", "cannot be understood"),
        ("{nam}", "there is no {nam}"),
        ("{}", "there is no {}"),
        ("{name!r}", "!r means nothing"),
        ("{name.__class__}/{0}", "there is no {0}"),
        ("{captured_at:%Q}", "form of a date"),
        ("{captured_at:%}", "form of a date"),
        ("{captured_at:%Y:%m}", "form of a date"),
        ("{name:>10}", "is no form"),
        ("{name:{kind}}", "is no form"),
        ("a:b", "no place in a name"),
        ("a\0b", "no place in a name"),
    ],
)
def test_templates_that_are_refused(template, why):
    with pytest.raises(ValueError, match=why.replace("{", r"\{").replace("}", r"\}")):
        fields_of(template)
