"""The blur hash says what another implementation of the format (blurhash 1.1.5 for Python) says of the same pixels."""

import random

import pytest

from server.media.blurhash import encode


def noise(width: int, height: int) -> list[tuple[int, int, int]]:
    raw = random.Random(1).randbytes(width * height * 3)
    return list(zip(raw[::3], raw[1::3], raw[2::3], strict=True))


def slope(width: int, height: int) -> list[tuple[int, int, int]]:
    return [(x * 255 // (width - 1), y * 255 // (height - 1), 128) for y in range(height) for x in range(width)]


@pytest.mark.parametrize(
    ("pixels", "width", "height", "said"),
    [
        (noise(32, 24), 32, 24, "L8Heh3.P$hxw.kw]#EKaw5RPSu,:"),
        (slope(32, 20), 32, 20, "L$HewF2swxX8qRWDjte;gJfjfQfj"),
        (slope(20, 32), 20, 32, "L$HoEv2?wxbul}WDjte;gJfjfQfj"),
        ([(255, 255, 255)] * 64, 8, 8, "LfTSUA~qfQ~q~qt7fQt7fQfQfQfQ"),
    ],
    ids=["noise", "wide", "tall", "white"],
)
def test_it_agrees_with_another_implementation(pixels, width, height, said):
    assert encode(pixels, width, height) == said
