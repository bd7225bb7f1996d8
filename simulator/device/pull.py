"""Taking what changed: a stream of lines, applied one complete bucket at a time."""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator

import httpx
import zstandard

from simulator.device.base import Base, BucketDiffers, BucketPatch
from simulator.device.clock import Clock
from simulator.device.errors import NoConnection, ProtocolBroken
from simulator.device.files import Files
from simulator.device.line import Line
from simulator.device.outbox import Json, Outbox
from simulator.device.push import SCHEMA
from simulator.device.store import Store, put_settings

_MOST_ROUNDS = 1000
_MOST_FRESH_STARTS = 2


class EpochChanged(ProtocolBroken):
    """The server was restored from a backup: its past is not the one our cookie speaks of."""


class _Response:
    """One pull response while it is read: which buckets it brought, up to which mutation it knows."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.dropped: list[str] = []
        self.last_seq = 0
        self.patch: BucketPatch | None = None
        self.tail: Json | None = None


class Pull:
    def __init__(self, store: Store, outbox: Outbox, base: Base, files: Files, line: Line, clock: Clock) -> None:
        self._store, self._outbox, self._base, self._files, self._line = store, outbox, base, files, line
        self._clock = clock

    async def run(self) -> None:
        """Pull until there is no more. Raises NoConnection; the buckets that were complete by then are kept."""
        fresh_starts = 0
        for _ in range(_MOST_ROUNDS):
            try:
                tail = await self._round()
            except (BucketDiffers, EpochChanged):
                fresh_starts += 1
                if fresh_starts > _MOST_FRESH_STARTS:
                    raise
                self._base.forget_cookie()
                continue
            if not tail["more"]:
                return
        raise ProtocolBroken(f"the server still has more after {_MOST_ROUNDS} pulls")

    async def _round(self) -> Json:
        async with self._line.stream("POST", "/sync/pull", json=self._request()) as response:
            if not response.is_success:
                await response.aread()
                if response.status_code == httpx.codes.GONE:
                    raise EpochChanged(response.text)
                raise ProtocolBroken(f"pull refused with {response.status_code}: {response.text}")
            reading = _Response()
            async for line in _lines(response):
                await self._take(reading, line)
        if reading.tail is None:
            raise NoConnection("the pull ended without its tail")
        # Not before the tail: asked again with the old cookie, the server takes it that we still hold these.
        self._base.leave(reading.dropped)
        self._base.confirm(reading.tail["cookie"], reading.seen, reading.last_seq, complete=not reading.tail["more"])
        self._base.sweep(needed=_buckets_of(self._outbox, reading.last_seq))
        return reading.tail

    def _request(self) -> Json:
        device, stream = self._store.setting("device_id"), self._outbox.stream
        asked = {"device": device, "stream": stream, "cookie": self._base.cookie, "schema": SCHEMA}
        return {**asked, "accept": ["snapshots"]}

    async def verify(self) -> list[str]:
        """Compare all we hold with the server, row for row by checksum; answers the buckets that come anew."""
        if (cookie := self._base.cookie) is None:
            return []
        claims = {"device": self._store.setting("device_id"), "cookie": cookie, "buckets": self._base.claims()}
        response = await self._line.ask("POST", "/sync/verify", json=claims)
        if not response.is_success:
            raise ProtocolBroken(f"verify refused with {response.status_code}: {response.text}")
        found = response.json()
        if found["cookie"] is None:
            self._base.forget_cookie()
        else:
            self._base.expect_anew(found["reset"], found["cookie"])
        return [str(key) for key in found["reset"]]

    async def _take(self, reading: _Response, line: Json) -> None:
        match line["k"]:
            case "head":
                self._begin(reading, line)
            case "drop":
                await self._finish(reading)
                reading.dropped.append(line["b"])
            case "bucket":
                await self._finish(reading)
                whole = line["mode"] != "delta"
                reading.patch = BucketPatch(line["b"], line["v"], reset=whole, snapshot=line.get("sha256"))
            case "put" if reading.patch:
                reading.patch.puts.append(line)
            case "del" if reading.patch:
                reading.patch.deletions.append(line)
            case "check" if reading.patch:
                reading.patch.count, reading.patch.checksum = line["n"], line["h"]
                await self._finish(reading)
            case "blobs":
                await self._finish(reading)
                self._files.wanted(line.get("missing", []))
            case "tail":
                await self._finish(reading)
                reading.tail = line
            case _:
                pass  # a later server may say more than we understand

    def _begin(self, reading: _Response, head: Json) -> None:
        reading.last_seq = int(head["last_seq"])
        epoch, known = str(head["epoch"]), self._store.setting("epoch")
        if epoch != known:
            self._outbox.replay_from(reading.last_seq + 1)
        elif reading.last_seq < self._outbox.acked():
            # A replica that lags: taking its answer would show the engineer the past.
            raise NoConnection(f"the answer knows mutations up to {reading.last_seq}, more were acknowledged")
        self._outbox.let_go(int(head["durable_seq"]), self._clock.now())
        if head.get("since", self._base.cookie) != self._base.cookie:
            # The server begins from nothing, so it won't tell us what to drop: what it doesn't mention is gone.
            self._base.forget_cookie()
        if epoch != known:
            with self._store.transaction() as db:
                put_settings(db, epoch=epoch)

    async def _finish(self, reading: _Response) -> None:
        """The bucket is complete: everything after its last line belongs to something else."""
        if (patch := reading.patch) is None:
            return
        if patch.snapshot is None:
            self._base.apply(patch)
        else:
            self._base.apply(patch, _rows_of(await self._file(patch.snapshot)))
        reading.seen.add(patch.key)
        reading.patch = None

    async def _file(self, sha256: str) -> bytes:
        response = await self._line.ask("GET", f"/sync/snapshots/{sha256}.ndjson.zst")
        if not response.is_success or hashlib.sha256(response.content).hexdigest() != sha256:
            raise NoConnection(f"snapshot {sha256} did not arrive intact ({response.status_code})")
        return response.content


def _rows_of(snapshot: bytes) -> Iterator[Json]:
    """Each line is a `put`, as in a pull."""
    return (json.loads(line) for line in zstandard.decompress(snapshot).split(b"\n") if line)


def _buckets_of(outbox: Outbox, last_seq: int) -> set[str]:
    return {f"wo:{pending.args['wo']}" for pending in outbox.after(last_seq) if "wo" in pending.args}


async def _lines(response: httpx.Response) -> AsyncIterator[Json]:
    """The JSON lines, split at newlines only: a note may hold U+2028, which other splitters take for a line's end."""
    rest = b""
    async for chunk in response.aiter_bytes():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield json.loads(line)
    if rest:
        yield json.loads(rest)
