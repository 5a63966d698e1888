from __future__ import annotations

import pytest

from cortex.media.licences import ALL_RIGHTS_RESERVED, PUBLIC_DOMAIN, Licence, find, named_in


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("http://creativecommons.org/licenses/by-nc-sa/2.0/uk/", "CC-BY-NC-SA-2.0-UK"),
        ("http://creativecommons.org/licenses/by-nc-nd/3.0/at/", "CC-BY-NC-ND-3.0"),
        ("see creativecommons.org/licenses/by-sa/2.1/jp/deed", "CC-BY-SA-2.1-JP"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", PUBLIC_DOMAIN),
        ("© 2020 Ada, CC BY-NC-ND 4.0", "CC-BY-NC-ND-4.0"),
        ("cc-by-sa 3.0", "CC-BY-SA-3.0"),
        ("CC BY SA v2.5", "CC-BY-SA-2.5"),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International", "CC-BY-NC-SA-4.0"),
        ("Creative Commons Attribution 3.0", "CC-BY-3.0"),
        ("Creative Commons Attribution-NoDerivatives License, version 2.0", "CC-BY-ND-2.0"),
        ("CC0", "CC0-1.0"),
        ("This work is in the public domain.", PUBLIC_DOMAIN),
        ("© Ada. All rights reserved.", ALL_RIGHTS_RESERVED),
        ("CC BY 7.3", None),
        ("© 2020 Ada", None),
        ("copied by cc to all", None),
        ("", None),
    ],
)
def test_what_a_text_says(text: str, licence: str | None) -> None:
    assert named_in(text) == licence


def test_an_open_licence_goes_before_a_reservation() -> None:
    raw = {
        "exif": {"Copyright": "Ada. All rights reserved"},
        "xmp": {"dc:rights": ["(c) Ada", "CC BY 4.0"], "xmpRights:Marked": "True"},
    }
    assert find(raw) == Licence("CC-BY-4.0", "xmp/dc:rights")
    del raw["xmp"]
    assert find(raw) == Licence(ALL_RIGHTS_RESERVED, "exif/Copyright")


def test_odd_values_say_nothing() -> None:
    assert find({"xmp": {"cc:license": {"no": "text"}}, "tags": {"license": 5}}) is None
    assert find({}) is None
