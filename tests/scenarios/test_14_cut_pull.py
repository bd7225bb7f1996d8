"""14: Pull stream cut in the middle of a bucket."""

from contextlib import suppress
from random import Random

import httpx

from simulator.device import Device, NoConnection
from simulator.device.clock import RealClock
from tests.scenarios.handset import Handset


class Cutting(httpx.AsyncBaseTransport):
    """Passes everything on, but ends the next pull after so many bytes."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.after: int | None = None

    async def handle_async_request(self, request):
        answer = await self.inner.handle_async_request(request)
        if self.after is None or not request.url.path.endswith("/pull"):
            return answer
        whole, cut = await answer.aread(), self.after
        self.after = None

        async def rest():
            yield whole[:cut]
            raise httpx.ReadError("cut")

        return httpx.Response(answer.status_code, headers={"Content-Type": "application/x-ndjson"}, content=rest())


async def test_14_the_cut_bucket_is_unchanged_finished_ones_are_kept_and_nothing_is_missing(
    handset: Handset, app, tmp_path, signed_in, company
):
    line = Cutting(httpx.ASGITransport(app))
    async with httpx.AsyncClient(transport=line, base_url="http://callout.test") as http:
        device = Device(tmp_path / "phone.db", http, RealClock(), Random(1))
        office = await signed_in("administrator")
        url = f"/api/v1/people/{handset.actor.person}/enrolment-codes"
        await device.enrol((await http.post(url, headers=office)).json()["code"], "Second")
        for number in range(30):
            handset.note(f"{number:02} " + "x" * 200)
        await handset.push()
        whole = await handset.pull(device=handset.device)
        size = sum(len(str(line)) for line in whole)
        held: set[str] = set()
        for after in range(200, size, max(200, size // 25)):
            line.after = after
            with suppress(NoConnection):
                await device.pull()
            notes = list(device.base.rows("note"))
            assert len(notes) in {0, 30}, "a bucket is there or it is not"
            assert held <= device.base.buckets().keys(), "a finished bucket is kept"
            held = set(device.base.buckets())
        await device.pull()
        assert len(list(device.base.rows("note"))) == 30
        assert {line["b"] for line in whole if line["k"] == "bucket"} == set(device.base.buckets())
        device.close()
