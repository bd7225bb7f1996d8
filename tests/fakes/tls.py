"""Real servers over TLS and HTTP/2 for fakes, in a thread of their own: a client that blocks its loop is found out."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypercorn.asyncio import serve
from hypercorn.config import Config


@dataclass(frozen=True)
class Authority:
    """root: a PEM file that makes clients trust it. chain: key and certificate of `names` for a server."""

    folder: Path
    names: tuple[str, ...]

    @cached_property
    def _made(self) -> tuple[Path, Path]:
        authority = trustme.CA()
        root, chain = self.folder / "root.pem", self.folder / "server.pem"
        authority.cert_pem.write_to_path(str(root))
        authority.issue_cert(*self.names).private_key_and_cert_chain_pem.write_to_path(str(chain))
        return root, chain

    @property
    def root(self) -> Path:
        return self._made[0]

    @property
    def chain(self) -> Path:
        return self._made[1]

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.root))


PUSH_HOST = "updates.push.services.mozilla.com"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), ("localhost", PUSH_HOST))


@contextmanager
def served(app: Any, authority: Authority) -> Iterator[int]:
    """Serve an ASGI application on a port of loopback; answers the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=[_until(app, listening, authority.chain, ended)])
    port = listening.getsockname()[1]
    thread.start()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


async def _until(app: Any, listening: socket.socket, chain: Path, ended: asyncio.Event) -> None:
    server = asyncio.create_task(serving(app, listening, chain, ended))
    await ended.wait()
    # A TLS connection that is closed politely waits half a minute for a client that has gone.
    for transport in tuple(asyncio.get_running_loop()._transports.values()):  # type: ignore[attr-defined]
        transport.abort()
    await server
    await asyncio.sleep(0.02)  # aborted connections are closed by the loop's next turns


async def serving(app: Any, listening: socket.socket, chain: Path, ended: asyncio.Event) -> None:
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]  # which it closes itself
    config.certfile = config.keyfile = str(chain)
    config.errorlog = None
    config.keep_alive_timeout = 2
    config.graceful_timeout = config.shutdown_timeout = 0.2
    await serve(app, config, shutdown_trigger=ended.wait)
