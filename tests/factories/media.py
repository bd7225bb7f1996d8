"""Files as phones make them: small real pictures whose bytes follow from a seed."""

import base64
import hashlib
import io
import random
import struct
import zlib
from dataclasses import dataclass
from uuid import uuid4

from PIL import Image
from pillow_heif import from_pillow

from server.identity import queries as identity
from server.identity.domain import Audience
from server.identity.service import open_session
from tests.factories.identity import Company


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


def a_heic() -> File:
    kept = io.BytesIO()
    from_pillow(Image.new("RGB", (640, 480), "orange")).save(kept, format="HEIF")
    return File(kept.getvalue(), "image/heic")


def a_bomb() -> File:
    """A few kilobytes that claim nine gigapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 95_000, 95_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(10_000_000), 9)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return File(b"\x89PNG\r\n\x1a\n" + chunks, "image/png")


async def enrolled_token(services, company: Company, role: str) -> str:
    """A token of a phone of its own for the person in this role."""
    device, person = uuid4(), company.actor(role).person
    async with services.database.unit_of_work(company.id) as uow:
        await identity.insert_device(
            uow,
            device=device,
            person=person,
            name="Phone",
            platform="test",
            app_version="1",
            public_key=None,
            storage_persisted=True,
        )
        now = services.wall_clock.now()
        signed_in = await open_session(
            uow, services.tokens, person=person, device=device, audience=Audience.MOBILE, now=now
        )
    return signed_in.access_token


def metadata(**said: str) -> str:
    """Upload-Metadata as tus writes it."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


def checksum(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"
