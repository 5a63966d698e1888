"""Contact sheets: frames of a video side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.media import Media
    from cortex.media.wants import Progress

_GAP = 2
_SMALLEST_CELL = 4


class Grid(NamedTuple):
    """How many frames stand side by side and below each other on sheets of at most `largest` pixels a side."""

    cols: int
    rows: int
    largest: int

    @classmethod
    def fitting(cls, cols: int, rows: int, smallest: int, largest: int) -> Self:
        """No cell is narrower than 4 pixels on a sheet of `smallest`."""
        most = (smallest + _GAP) // (_SMALLEST_CELL + _GAP)
        return cls(min(cols, most), min(rows, most), largest)

    @property
    def places(self) -> int:
        return self.cols * self.rows

    @property
    def frame_side(self) -> int:
        return self.largest // min(self.cols, self.rows)

    def sheet(self, media: Media, size: int, progress: Progress) -> Image:
        """Frames row by row with a small gap between them, so that the longer side of the sheet is `size`. Where there
        are fewer different ones than places, the sheet has fewer."""
        from PIL import Image

        cols, rows = self.cols, self.rows
        frames = media.frames(self.places, self.frame_side, progress)
        if len(frames) < self.places:
            cols = min(cols, len(frames))
            rows = -(-len(frames) // cols)
            frames = media.frames(self.places, self.largest // min(cols, rows), progress)
        width, height = frames[0].size
        scale = min(1.0, (size - _GAP * (cols - 1)) / (width * cols), (size - _GAP * (rows - 1)) / (height * rows))
        cell = max(int(width * scale), 1), max(int(height * scale), 1)
        sheet = Image.new("RGB", (cols * (cell[0] + _GAP) - _GAP, rows * (cell[1] + _GAP) - _GAP))
        for number, frame in enumerate(frames):
            place = number % cols * (cell[0] + _GAP), number // cols * (cell[1] + _GAP)
            sheet.paste(frame.resize(cell, Image.Resampling.LANCZOS) if frame.size != cell else frame, place)
        return sheet
