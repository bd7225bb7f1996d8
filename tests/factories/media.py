"""Files as phones make them: small real pictures whose bytes follow from a seed."""

import hashlib
import io
import random
from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True)
class File:
    content: bytes
    mime: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def announcement(self, purpose: str = "photo") -> dict[str, object]:
        return {"sha256": self.sha256, "size": len(self.content), "mime": self.mime, "purpose": purpose}


def a_photo(seed: int = 1, width: int = 160, height: int = 120) -> File:
    noise = random.Random(seed).randbytes(width * height * 3)
    kept = io.BytesIO()
    Image.frombytes("RGB", (width, height), noise).save(kept, "JPEG", quality=85)
    return File(kept.getvalue(), "image/jpeg")
