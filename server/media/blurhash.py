"""A few coloured waves that stand for a picture until it is here: the BlurHash format (blurha.sh). Pure."""

from collections.abc import Sequence
from math import copysign, cos, pi, sqrt

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

type Colour = tuple[float, float, float]


def encode(pixels: Sequence[tuple[int, int, int]], width: int, height: int, *, across: int = 4, down: int = 3) -> str:
    """Encode rows of sRGB pixels (0..255), `across` by `down` waves; keep the picture small, 32 px are plenty."""
    linear = [(_linear(red), _linear(green), _linear(blue)) for red, green, blue in pixels]
    waves = [_wave(linear, width, height, x, y) for y in range(down) for x in range(across)]
    mean, *others = waves
    peak = max((abs(part) for wave in others for part in wave), default=0.0)
    steps = max(0, min(82, int(peak * 166 - 0.5)))
    scale = (steps + 1) / 166
    said = [_digits(across - 1 + (down - 1) * 9, 1), _digits(steps, 1), _digits(_mean(mean), 4)]
    return "".join(said + [_digits(_difference(wave, scale), 2) for wave in others])


def _wave(linear: Sequence[Colour], width: int, height: int, x: int, y: int) -> Colour:
    """How strongly the picture swings `x` times across and `y` times down."""
    across = [cos(pi * x * column / width) for column in range(width)]
    down = [cos(pi * y * row / height) for row in range(height)]
    weights = [vertical * horizontal for vertical in down for horizontal in across]
    share = (1 if x == y == 0 else 2) / (width * height)
    red, green, blue = (
        sum(weight * pixel[part] for weight, pixel in zip(weights, linear, strict=True)) * share for part in range(3)
    )
    return red, green, blue


def _mean(colour: Colour) -> int:
    red, green, blue = (_srgb(part) for part in colour)
    return (red << 16) + (green << 8) + blue


def _difference(colour: Colour, scale: float) -> int:
    red, green, blue = (max(0, min(18, int(_root(part / scale) * 9 + 9.5))) for part in colour)
    return red * 19 * 19 + green * 19 + blue


def _root(value: float) -> float:
    return copysign(sqrt(abs(value)), value)


def _linear(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB


def _srgb(value: float) -> int:
    kept = max(0.0, min(1.0, value))
    share = kept * 12.92 if kept <= 0.0031308 else 1.055 * kept ** (1 / 2.4) - 0.055  # noqa: PLR2004 - sRGB
    return int(share * 255 + 0.5)


def _digits(value: int, length: int) -> str:
    return "".join(_DIGITS[value // 83**place % 83] for place in reversed(range(length)))
