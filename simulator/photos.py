"""Photographs of work: JPEGs that look a little like a machine with a label, each different, 30 to 200 kB."""

import io
from random import Random

import numpy as np
from PIL import Image, ImageDraw

_SIZE = (960, 720)


def photograph(caption: str, rng: Random) -> bytes:
    """A JPEG. The same seed and caption give the same bytes."""
    noise = np.random.default_rng(rng.getrandbits(64))
    picture = _wall(rng, noise)
    draw = ImageDraw.Draw(picture)
    _machine(draw, rng)
    draw.rectangle((40, 640, 920, 700), fill=(250, 250, 240))
    draw.text((60, 656), caption, fill=(20, 20, 20), font_size=28)
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=rng.randint(60, 88))
    return written.getvalue()


def _wall(rng: Random, noise: np.random.Generator) -> Image.Image:
    """Uneven light on a grey wall, with the grain of a small sensor."""
    width, height = _SIZE
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    light = (70 + 80 * (across * rng.random() + down * rng.random())).astype(np.uint8)
    grain = noise.integers(0, rng.randint(16, 48), (height, width, 3), np.uint8)
    return Image.fromarray(light[..., None] // 2 + 60 + grain)


def _machine(draw: ImageDraw.ImageDraw, rng: Random) -> None:
    left, top = rng.randint(80, 300), rng.randint(40, 140)
    shade = rng.randint(150, 230)
    draw.rounded_rectangle(
        (left, top, left + 460, top + 480), 24, fill=(shade, shade, shade + 10), outline=(60, 60, 60)
    )
    for number in range(rng.randint(3, 7)):
        y = top + 40 + number * 50
        colour = (rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255))
        draw.ellipse((left + 40, y, left + 68, y + 28), fill=colour)
        draw.line((left + 80, y + 14, left + rng.randint(160, 400), y + rng.randint(0, 28)), fill=colour, width=5)
