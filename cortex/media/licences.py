"""Under which licence a work is offered, as its metadata say: SPDX's identifiers (spdx.org/licenses), told from
addresses and texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

ALL_RIGHTS_RESERVED = "LicenseRef-all-rights-reserved"
PUBLIC_DOMAIN = "LicenseRef-public-domain"
"""What is said to be in the public domain without a known statement, which is no licence and has no SPDX identifier."""

_ADDRESS = re.compile(
    r"creativecommons\.org/(?:licenses/(by(?:-nc)?(?:-sa|-nd)?)/(\d\.\d)(?:/([a-z]{2,3}))?"
    r"|publicdomain/(zero|mark)/1\.0)",
    re.IGNORECASE,
)
_NAME = re.compile(r"\bCC[ -]?(BY(?:[ -]NC)?(?:[ -](?:SA|ND))?)(?:[ -]v?(\d\.\d))\b", re.IGNORECASE)
_SPELT_OUT = re.compile(
    r"creative commons attribution((?:[ -]+(?:non-?commercial|share-?alike|no-?deriv(?:ative)?s?(?: works)?))*)"
    r"(?: licen[sc]e)?,?\s+(?:version |v)?(\d\.\d)",
    re.IGNORECASE,
)
_ZERO = re.compile(r"\bCC[ -]?0\b|\bCC Zero\b", re.IGNORECASE)
_FREE = re.compile(r"\bpublic domain\b", re.IGNORECASE)
_RESERVED = re.compile(r"\ball rights (?:are )?reserved\b", re.IGNORECASE)
_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([A-Za-z0-9][A-Za-z0-9 .()+-]{0,200})")
_WHERE = {
    "xmp": ("cc:license", "xmpRights:WebStatement", "xmpRights:UsageTerms", "plus:LicensorURL", "dc:rights"),
    "exif": ("Copyright",),
    "iptc": ("CopyrightNotice", "SpecialInstructions"),
    "tags": ("license", "licence", "WWW", "copyright", "comment", "description"),
}
"""Where a licence is looked for, the plainest statements first, by the groups of `media.metadata`'s raw values."""
_VERSIONS = ("1.0", "2.0", "2.5", "3.0", "4.0")
_PORTED = {
    "BY-2.5": "AU", "BY-3.0": "AT AU DE IGO NL US", "BY-NC-3.0": "DE", "BY-NC-ND-3.0": "DE IGO",
    "BY-NC-SA-2.0": "DE FR UK", "BY-NC-SA-3.0": "DE IGO", "BY-ND-3.0": "DE", "BY-SA-2.0": "UK", "BY-SA-2.1": "JP",
    "BY-SA-3.0": "AT DE IGO",
}  # fmt: skip
"""The national versions that SPDX lists; others count as the version for everywhere."""
_LOOK = 4096


class Licence(NamedTuple):
    """`id` is SPDX's, or one of the two above; `source` is block and name, such as `xmp/cc:license`."""

    id: str
    source: str


def find(raw: Mapping[str, Mapping[str, Any]]) -> Licence | None:
    """The licence that the raw groups `xmp`, `exif`, `iptc` and `tags` name: an open one before a mere reservation of
    rights, since many write both."""
    found = [Licence(named, source) for source, text in _statements(raw) if (named := named_in(text)) is not None]
    return next((one for one in found if one.id != ALL_RIGHTS_RESERVED), found[0] if found else None)


def named_in(text: str) -> str | None:
    """What one text says: an address of Creative Commons, the name of such a licence with its version, CC0, the public
    domain, or all rights reserved."""
    if match := _ADDRESS.search(text):
        kind, version, place, free = match.groups()
        if free is not None:
            return "CC0-1.0" if free.lower() == "zero" else PUBLIC_DOMAIN
        return _creative(kind, version, place)
    if match := _NAME.search(text):
        return _creative(match[1], match[2])
    if match := _SPELT_OUT.search(text):
        return _creative("by" + _short(match[1]), match[2])
    for pattern, named in ((_ZERO, "CC0-1.0"), (_FREE, PUBLIC_DOMAIN), (_RESERVED, ALL_RIGHTS_RESERVED)):
        if pattern.search(text):
            return named
    return None


def of_text(text: str) -> Licence | None:
    """What a source file says in its first 4,096 characters by the tag `SPDX-License-Identifier`."""
    match = _TAG.search(text, 0, _LOOK)
    return Licence(match[1].strip(), "text/SPDX-License-Identifier") if match else None


def _statements(raw: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for group, names in _WHERE.items():
        values = raw.get(group, {})
        for name in names:
            for text in _texts(values.get(name)):
                yield f"{group}/{name}", text[:_LOOK]


def _texts(value: Any) -> Iterable[str]:
    many = value if isinstance(value, list) else [value]
    return [one for one in many if isinstance(one, str)]


def _creative(kind: str, version: str, place: str | None = None) -> str | None:
    parts = re.split(r"[ -]+", kind.upper())
    # SPDX writes the parts in this order, as the licences do.
    named = f"{'-'.join(part for part in ('BY', 'NC', 'ND', 'SA') if part in parts)}-{version}"
    if place is not None and place.upper() in _PORTED.get(named, "").split():
        return f"CC-{named}-{place.upper()}"
    return f"CC-{named}" if version in _VERSIONS else None


def _short(words: str) -> str:
    low = words.lower()
    return "".join(short for word, short in (("commercial", "-nc"), ("deriv", "-nd"), ("share", "-sa")) if word in low)
