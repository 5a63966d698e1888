"""In which form the pixels of an original go into a picture that is made of it: how many bits, grey or colours, and of
which profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from cortex.media.colour import is_converted, space_of
from cortex.media.depth import Deep, deep_pixels, unconverted
from cortex.operators.pictures.picture_files import Encoding, with_opacity

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.media import Media

_GREY = frozenset({"1", "L", "LA", "La", "I", "F"})
Profile = Literal["srgb", "keep"]


class Source(NamedTuple):
    """`shown` in RGB or RGBA, or `deep` with 16 bits a channel. `is_grey`: its channels are equal, whatever it is held
    in. `icc`: the profile of its colours, None for sRGB."""

    shown: Image
    deep: Deep | None
    is_grey: bool
    icc: bytes | None


def source_of(media: Media, side: int, how: Encoding, profile: Profile) -> Source:
    """`side` is the least that the longer one of `shown` must have. Raises what `Media.image` raises."""
    probe = media.probe()
    shown = media.image(side)
    is_grey = how.keeps_grey and ((probe.mode or "") in _GREY or (probe.mode or "").startswith("I;16"))
    is_other = is_converted(probe.icc, "L" if is_grey else "RGB")
    icc = probe.icc if profile == "keep" and space_of(probe.icc) == ("GRAY" if is_grey else "RGB") else None
    if how.is_lossless and (icc is not None or not is_other):
        deep = deep_pixels(media)
        if deep is not None:
            return Source(shown, deep, is_grey, icc)
    own = unconverted(media, side) if icc is not None and is_other else None
    if own is not None:
        return Source(own.convert("RGBA" if own.mode in ("RGBA", "LA") else "RGB"), None, is_grey, icc)
    opacity = media.opacity(side)
    whole = shown if opacity is None else with_opacity(shown, opacity)
    return Source(whole, None, is_grey, None if is_other else icc)
