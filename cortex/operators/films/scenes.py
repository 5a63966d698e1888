"""The scenes of a film."""

from __future__ import annotations

import heapq
import io
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec
from pydantic import Field

from cortex.media.wants import PictureFeed, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.outputs import MAX_OUTPUT
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.media import Media
    from cortex.media.shown import Shown

_SIDE = 160
_FIRST_LOOK = 8
"""After so many frames of a scene a second picture of it is taken, then after twice as many, and so on."""
_QUALITY = 80


class ScenesOptions(NodeOptions):
    threshold: float = Field(
        15.0, ge=1, le=255, description="The least change, in brightness steps of 255, that may be a cut"
    )
    ratio: float = Field(
        3.0, ge=1, le=100, description="How many times more a cut changes than the frames around it; against motion"
    )
    min_scene_s: float = Field(0.6, ge=0.2, le=600, description="No scene but the last is shorter, in seconds")
    pictures: int = Field(50, ge=0, le=500, description="Of at most so many scenes, the longest, a picture is kept")
    picture_size: int = Field(512, ge=16, le=2048, description="The most pixels of a picture's longer side")


class Scenes(MediaNode[ScenesOptions]):
    """Divides a film into scenes, by cuts and by fades, and keeps a picture of each.

    A cut is a sudden change of the whole picture, in brightness and colour, that is large by itself and against those
    of the neighbouring frames; where the picture is back after two frames it was a flash. The method is that of
    adaptive content-aware detectors (the published description of PySceneDetect's AdaptiveDetector; Zhang, Kankanhalli
    and Smoliar, Automatic partitioning of full-motion video, 1993), with the difference taken in Y'CbCr. A fade leads
    through frames of one colour, mostly black; the new scene begins in their middle. A slow dissolve from one scene
    into the next is not found.

    `scenes` lists `start_s`, `end_s`, `start_frame`, `end_frame` (the first that is no longer part of it; frames are
    counted as they can be decoded) and `begins` (`start`, `cut`, `fade`). It is the artifact `scenes` (JSON) where it
    would be larger than 64 KiB. Pictures are artifacts `scene-0001` … (JPEG), counted as the scenes are, each taken
    between a quarter and half of the scene's length.

    Refuses FORMAT_UNSUPPORTED (no video, no decoder), FILE_DAMAGED (no frame can be decoded), FILE_TRUNCATED (the index
    is missing) and FILE_TOO_LARGE (frames of too many pixels). Damage in the middle is passed over.
    `{min_scene_s: 1, pictures: 20}` is an example.
    """

    operator = "video.scenes"
    outputs = (
        Port(id="out", content_type="detection/scene", cardinality="many", key="scenes"),
        Port(id="pictures", content_type="artifact/image", cardinality="many", key="scene-*", description="of each"),
    )
    kinds = frozenset({Kind.VIDEO})
    reads = ()
    verdicts = False
    COUNT = OutputKey("count", int, "number of scenes")
    SCENES = OutputKey("scenes", list, "start, end and beginning of each scene; left out when it is an artifact")
    FRAMES = OutputKey("frames", int, "number of frames that could be decoded")
    DURATION = OutputKey("duration_s", float, "until when the last frame is shown, in seconds")

    def open(self) -> None:
        import_module("cortex.operators.films.scene_cuts")

    @property
    def _reader(self) -> str:
        return f"scenes {self.options.model_dump_json()}"

    def wants(self) -> Wants:
        return Wants(pictures={self._reader: PictureFeed(self._make)})

    def _make(self) -> SceneReader:
        return SceneReader(self.options)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        reader = cast(SceneReader, media.watched(self._reader, ctx.progress))
        reader.end()
        scenes = [scene.as_json() for scene in reader.scenes]
        ctx.output(self.COUNT, len(scenes))
        ctx.output(self.FRAMES, reader.frames)
        ctx.output(self.DURATION, round(reader.until_s, 3))
        encoded = msgspec.json.encode(scenes)
        if len(encoded) <= MAX_OUTPUT:
            ctx.output(self.SCENES, scenes)
        else:
            ctx.artifact("scenes", encoded, "application/json")
        for number, data in reader.pictures():
            ctx.artifact(f"scene-{number:04}", data, "image/jpeg")


class Scene(NamedTuple):
    """Frames from `start_frame` on, `end_frame` not among them."""

    start_frame: int
    start_s: float
    begins: str
    end_frame: int
    end_s: float

    def as_json(self) -> dict[str, Any]:
        return {
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "start_frame": self.start_frame,
            "end_frame": self.end_frame,
            "begins": self.begins,
        }


class SceneReader:
    """Sees all frames; `scenes` holds those that have ended, all of them after `end`."""

    def __init__(self, options: ScenesOptions) -> None:
        from cortex.operators.films.scene_cuts import Boundary, CutFinder

        self._finder = CutFinder(options.threshold, options.ratio, options.min_scene_s)
        self._album = _Album(options.pictures, options.picture_size)
        self._open = Boundary(0, 0.0, "start")
        self._ended = False
        self.scenes: list[Scene] = []
        self.frames = 0
        self.until_s = 0.0

    def update(self, frame: Shown) -> None:
        if not self.frames:
            self._open = self._open._replace(time_s=frame.time_s)
        found = self._finder.add(frame.number, frame.time_s, frame.planes(_SIDE))
        if found is not None:
            self._close(found.frame, found.time_s)
            self._open = found
        self._album.offer(frame, frame.number - self._open.frame, known=found is not None or not self.frames)
        self.frames = frame.number + 1
        self.until_s = frame.until_s

    def end(self) -> None:
        """To be called after the last frame; may be called again."""
        if self._ended or not self.frames:
            return
        self._ended = True
        if (found := self._finder.end()) is not None:
            self._close(found.frame, found.time_s)
            self._open = found
        self._close(self.frames, self.until_s)

    def pictures(self) -> list[tuple[int, bytes]]:
        """JPEGs by the number of their scene, from 1."""
        return self._album.pictures()

    def _close(self, end_frame: int, end_s: float) -> None:
        start = self._open
        self.scenes.append(Scene(start.frame, start.time_s, start.kind, end_frame, end_s))
        self._album.close(len(self.scenes), start.frame, end_frame, end_s - start.time_s)


class _Album:
    """Pictures of the longest scenes. Which frame is in the middle of a scene is known too late, so that one is taken
    whenever the scene has become twice as long."""

    def __init__(self, most: int, size: int) -> None:
        self._most = most
        self._size = size
        self._taken: list[tuple[int, Image]] = []
        self._kept: list[tuple[float, int, bytes]] = []

    def offer(self, frame: Shown, age: int, *, known: bool) -> None:
        """A frame of the scene that is open, `age` frames after its first; `known`: the first to be known as such."""
        if self._most and (known or (age >= _FIRST_LOOK and age & (age - 1) == 0)):
            self._taken = [*self._taken[-1:], (frame.number, frame.picture(self._size))]

    def close(self, number: int, start: int, end: int, length_s: float) -> None:
        fitting = [taken for taken in self._taken if start <= taken[0] < end]
        self._taken = []
        if not fitting or (len(self._kept) == self._most and length_s <= self._kept[0][0]):
            return
        _, picture = min(fitting, key=lambda taken: abs(2 * taken[0] - start - end))
        heapq.heappush(self._kept, (length_s, -number, _jpeg(picture)))
        if len(self._kept) > self._most:
            heapq.heappop(self._kept)

    def pictures(self) -> list[tuple[int, bytes]]:
        return sorted((-negative, data) for _, negative, data in self._kept)


def _jpeg(picture: Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
