"""Media types of camera raw files."""

from __future__ import annotations

RAF, RW2 = "image/x-fuji-raf", "image/x-panasonic-rw2"
CR2, CR3 = "image/x-canon-cr2", "image/x-canon-cr3"

RAW_MIMES = frozenset(
    {
        RAF,
        CR3,
        RW2,
        CR2,
        "image/x-adobe-dng",
        "image/x-nikon-nef",
        "image/x-sony-arw",
        "image/x-pentax-pef",
        "image/x-samsung-srw",
        "image/x-hasselblad-3fr",
        "image/x-leica-rwl",
        "image/x-phaseone-iiq",
        "image/x-mamiya-mef",
        "image/x-kodak-dcr",
        "image/x-epson-erf",
        "image/x-olympus-orf",
    }
)
