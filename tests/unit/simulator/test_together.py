import asyncio

import pytest

from simulator.together import first_of, in_background, until_done


async def forever(ended: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("cleaned up")


async def fail() -> None:
    raise ValueError("a bug")


async def test_the_first_to_end_ends_the_others_and_they_clean_up() -> None:
    ended: list[str] = []
    await first_of(asyncio.sleep(0.01), forever(ended))
    assert ended == ["cleaned up"]


async def test_what_the_first_raised_is_raised() -> None:
    with pytest.raises(ValueError, match="a bug"):
        await first_of(fail(), forever([]))


async def test_a_failure_in_the_background_ends_the_play() -> None:
    ended: list[str] = []
    with pytest.raises(ValueError, match="a bug"):
        async with in_background([fail(), forever(ended)]) as trouble:
            await until_done([forever(ended)], [trouble], seconds=10)
    assert ended == ["cleaned up"] * 2


async def test_the_last_whistle_ends_what_still_plays() -> None:
    ended: list[str] = []
    async with in_background([forever([])]) as trouble:
        await until_done([forever(ended)], [trouble], seconds=0.05)
    assert ended == ["cleaned up"]
