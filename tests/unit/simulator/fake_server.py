"""A small server that keeps what devices rely on: watermarks, stored results, cookies, offsets, rotating tokens.

It exists to be unkind in ways a real server seldom is; whether the real one agrees with the device is shown by
tests/simulator.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.device.base import checksum

type Json = dict[str, Any]
type Key = tuple[str, str]


@dataclass
class Stream:
    last_seq: int = 0
    log: dict[int, tuple[Json, Json]] = field(default_factory=dict)  # seq: what came, what was answered


@dataclass
class Upload:
    size: int
    content: bytes = b""
    ready: bool = False


@dataclass
class Bucket:
    version: int = 0
    rows: dict[Key, Json] = field(default_factory=dict)


class FakeServer:
    """Its state is public: tests look into it and bend it."""

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = {}
        self.effects: list[str] = []  # mutation ids, once per effect
        self.pushes: list[list[int]] = []  # the seqs of each batch that arrived
        self.uploads: dict[str, Upload] = {}
        self.patched = 0  # bytes of files that arrived
        self.buckets: dict[str, Bucket] = {}
        self.cookies: dict[str, dict[str, int]] = {}
        self.fixes: dict[int, Json] = {}
        self.access = "access-0"
        self.refreshes = ["refresh-0"]
        self.missing: list[str] = []
        self.revoked = False
        self.busy = 0  # how many requests are still answered by 503
        self.epoch = 1
        self.hints: list[Json] = []
        self.rounds_of = 1000  # buckets per pull response
        self.app = Starlette(
            routes=[
                Route("/mobile/v1/sync/devices", self.enrol, methods=["POST"]),
                Route("/mobile/v1/auth/refresh", self.refresh, methods=["POST"]),
                Route("/mobile/v1/sync/push", self.guarded(self.push), methods=["POST"]),
                Route("/mobile/v1/sync/pull", self.guarded(self.pull), methods=["POST"]),
                Route("/mobile/v1/sync/events", self.guarded(self.events), methods=["GET"]),
                Route("/mobile/v1/positions", self.guarded(self.positions), methods=["POST"]),
                Route("/mobile/v1/blobs", self.guarded(self.announce), methods=["POST"]),
                Route("/mobile/v1/blobs/{sha}", self.guarded(self.blob), methods=["HEAD", "PATCH"]),
            ]
        )

    def put(self, bucket: str, entity: str, row_id: str, **data: Any) -> None:
        held = self.buckets.setdefault(bucket, Bucket())
        held.version += 1
        held.rows[entity, row_id] = data

    def guarded(self, handler: Any) -> Any:
        async def answer(request: Request) -> Response:
            if request.headers.get("Authorization") != f"Bearer {self.access}":
                return problem(401, "auth.expired")
            if self.revoked:
                return problem(403, "identity.device_revoked")
            if self.busy:
                self.busy -= 1
                return problem(503, "unavailable", {"Retry-After": "0"})
            reply: Response = await handler(request)
            return reply

        return answer

    async def enrol(self, request: Request) -> Response:
        about = await request.json()
        if about["code"] != "GOOD-CODE":
            return problem(403, "identity.enrolment_refused")
        person = {"id": "person-1", "name": "Wen Li", "language": "zh"}
        return JSONResponse({"device_id": "device-1", "person": person, **self.tokens()}, 201)

    async def refresh(self, request: Request) -> Response:
        """Rotate; the token before the newest is honoured too, because its reply may have been lost."""
        token = (await request.json())["refresh_token"]
        if token not in self.refreshes[-2:]:
            return problem(401, "auth.refused")
        if token == self.refreshes[-1]:
            self.refreshes.append(f"refresh-{len(self.refreshes)}")
        self.access = f"access-{len(self.refreshes)}"
        return JSONResponse(self.tokens())

    def tokens(self) -> Json:
        return {"access_token": self.access, "expires_in": 600, "refresh_token": self.refreshes[-1]}

    async def push(self, request: Request) -> Response:
        batch = await request.json()
        stream = self.streams.setdefault(batch["stream"], Stream())
        mutations = batch["mutations"]
        self.pushes.append([mutation["seq"] for mutation in mutations])
        if mutations[0]["seq"] > stream.last_seq + 1:
            return problem(409, "SEQ_GAP", facts={"expected": stream.last_seq + 1})
        if any(stream.log.get(mutation["seq"], (mutation,))[0] != mutation for mutation in mutations):
            return problem(409, "STREAM_FORKED")
        results = [self.take(stream, mutation) for mutation in mutations]
        return JSONResponse({"last_seq": stream.last_seq, "durable_seq": 0, "epoch": self.epoch, "results": results})

    def take(self, stream: Stream, mutation: Json) -> Json:
        if mutation["seq"] in stream.log:
            return stream.log[mutation["seq"]][1]
        before = stream.log.get(mutation["seq"] - 1)
        assert mutation["prev"] == (digest(before[0]) if before else None)
        known = mutation["id"] in self.effects
        if not known:
            self.effects.append(mutation["id"])
        status = "duplicate" if known else "applied"
        result = {"seq": mutation["seq"], "id": mutation["id"], "status": status}
        stream.last_seq = mutation["seq"]
        stream.log[mutation["seq"]] = (mutation, result)
        return result

    async def pull(self, request: Request) -> Response:
        asked = await request.json()
        since = asked["cookie"] if asked["cookie"] in self.cookies else None
        known = dict(self.cookies.get(since or "", {}))
        last_seq = self.streams.get(asked["stream"], Stream()).last_seq
        lines: list[Json] = [{"k": "head", "epoch": self.epoch, "last_seq": last_seq, "durable_seq": 0, "since": since}]
        for gone in known.keys() - self.buckets.keys():
            lines.append({"k": "drop", "b": gone})
            del known[gone]
        changed = [key for key, bucket in self.buckets.items() if known.get(key) != bucket.version]
        for key in changed[: self.rounds_of]:
            lines += self.bucket(key)
            known[key] = self.buckets[key].version
        cookie = f"o:{len(self.cookies) + 1}"
        self.cookies[cookie] = known
        lines.append({"k": "blobs", "missing": self.missing})
        lines.append({"k": "tail", "cookie": cookie, "more": len(changed) > self.rounds_of})
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        return Response(text.encode(), media_type="application/x-ndjson")

    def bucket(self, key: str) -> list[Json]:
        held = self.buckets[key]
        puts = [{"k": "put", "t": t, "id": i, "ver": 1, "d": data} for (t, i), data in held.rows.items()]
        opening = {"k": "bucket", "b": key, "v": held.version, "mode": "reset"}
        checked = checksum((i, 1) for _, i in held.rows)
        return [opening, *puts, {"k": "check", "b": key, "n": len(puts), "h": checked}]

    async def events(self, request: Request) -> Response:
        """Tell what was hinted since the last event the phone saw, then end."""
        missed = self.hints[int(request.headers.get("Last-Event-ID", "0")) :]
        first = len(self.hints) - len(missed) + 1
        told = [f"event: hint\nid: {number}\ndata: {json.dumps(hint)}\n\n" for number, hint in enumerate(missed, first)]
        return Response(": listening\n\n" + "".join(told), media_type="text/event-stream")

    async def positions(self, request: Request) -> Response:
        fixes = (await request.json())["fixes"]
        self.fixes |= {fix["seq"]: fix for fix in fixes}
        return JSONResponse({"accepted": len(fixes), "duplicates": 0, "dropped_off_shift": 0})

    async def announce(self, request: Request) -> Response:
        about = await request.json()
        upload = self.uploads.setdefault(about["sha256"], Upload(about["size"]))
        if upload.ready:
            return JSONResponse({"state": "ready"})
        return JSONResponse({"location": f"/mobile/v1/blobs/{about['sha256']}", "offset": len(upload.content)}, 201)

    async def blob(self, request: Request) -> Response:
        sha = request.path_params["sha"]
        upload = self.uploads.get(sha)
        if upload is None:
            return problem(404, "not_found")
        if request.method == "PATCH":
            if int(request.headers["Upload-Offset"]) != len(upload.content):
                return problem(409, "blob.offset")
            chunk = await request.body()
            upload.content += chunk
            self.patched += len(chunk)
            upload.ready = len(upload.content) == upload.size
            if upload.ready and hashlib.sha256(upload.content).hexdigest() != sha:
                upload.content, upload.ready = b"", False
                return problem(460, "blob.hash_mismatch")
        offset = {"Upload-Offset": str(len(upload.content)), "Upload-Length": str(upload.size)}
        return Response(status_code=204 if request.method == "PATCH" else 200, headers=offset)


def digest(mutation: Json) -> str:
    text = json.dumps(mutation, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def problem(
    status: int, code: str, headers: Mapping[str, str] | None = None, facts: Json | None = None
) -> JSONResponse:
    return JSONResponse({"code": code, "status": status, "facts": facts or {}}, status, headers)
