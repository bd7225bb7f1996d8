"""A drive asked over HTTP while the travel service is there, gone, and there again."""

from dataclasses import replace

from server.geo.region import Region
from server.geo.travel_service.client import ServedTravel
from tests.regions import travel_process


async def test_a_drive_is_answered_and_labelled_whether_the_service_is_there_or_not(
    app, client, signed_in, monaco: Region, socket_path
):
    dispatcher = await signed_in("dispatcher")
    real_seconds = iter(range(0, 1_000, 10))  # whoever asks again asks ten seconds later
    travel = ServedTravel(socket_path, clock=lambda: next(real_seconds))
    app.state.services = replace(app.state.services, travel=travel)

    async def source() -> str:
        answer = await client.get(
            "/api/v1/geo/route", params={"from": "7.4246,43.7384", "to": "7.4153,43.7277"}, headers=dispatcher
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["source"])

    assert await source() == "estimate"
    for _ in range(2):
        with travel_process(monaco.folder.parents[1], socket_path):
            assert await source() == "osrm"
        assert await source() == "estimate"
