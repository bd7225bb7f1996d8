"""Two uploaders that others wrote, used as they come, and files to send with them."""

import hashlib
import itertools
import json
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

_SCRIPT = Path(__file__).with_name("upload.mjs")
_PATIENCE_S = 180  # an API that was killed takes a while to be back on a busy machine
CHUNK_BYTES = 128_000
_MOST_STARTS = 60
_NOTHING_LEFT_TO_DO = 13  # node's code for a promise that nothing can settle any more


@dataclass(frozen=True)
class LocalFile:
    path: Path
    sha256: str


def make_files(folder: Path, count: int, seed: int, *, largest: int) -> list[LocalFile]:
    """Files whose first bytes are a photo's, most of them small, a few of them `largest`."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        content = b"\xff\xd8\xff" + dice.randbytes(int(1_000 + largest * dice.random() ** 3))
        path = folder / f"{number:05}.jpg"
        path.write_bytes(content)
        made.append(LocalFile(path, hashlib.sha256(content).hexdigest()))
    return made


def send_with_tuspy(url: str, token: Callable[[], str], files: Sequence[LocalFile]) -> int:
    """Answer how often one had to be begun anew because even tuspy's own retries had given up."""
    with ThreadPoolExecutor(4) as threads:
        return sum(threads.map(lambda file: _with_tuspy(url, token, file), files))


def _with_tuspy(url: str, token: Callable[[], str], file: LocalFile) -> int:
    until = time.monotonic() + _PATIENCE_S
    for tries in itertools.count():
        try:
            client = TusClient(f"{url}/mobile/v1/blobs", headers={"Authorization": f"Bearer {token()}"})
            uploader = client.uploader(
                file_stream=BytesIO(file.path.read_bytes()),  # given a path, it leaves the file open
                chunk_size=CHUNK_BYTES,
                metadata={"sha256": file.sha256, "filetype": "image/jpeg", "purpose": "photo"},
                retries=5,
                retry_delay=0,
                upload_checksum=True,
            )
            uploader.upload()
        except (TusCommunicationError, TusUploadFailed, TypeError):  # TypeError: a reply that broke off in its headers
            if time.monotonic() > until:
                raise
            time.sleep(0.3)
        else:
            return tries
    raise AssertionError


def send_with_tus_js(url: str, token: Callable[[], str], files: Sequence[LocalFile]) -> int:
    """Answer how often it had to be started again: it waits for ever for a reply that breaks off in its body."""
    left = list(files)
    for starts in range(_MOST_STARTS):
        sent = _run_tus_js(url, token(), left)
        left = [file for file in left if file.sha256 not in sent]
        if not left:
            return starts
    message = f"tus-js-client does not get {len(left)} files through"
    raise AssertionError(message)


def _run_tus_js(url: str, token: str, files: Sequence[LocalFile]) -> set[str]:
    """Answer the hashes of what it says it sent."""
    said = json.dumps([{"path": str(file.path), "sha256": file.sha256} for file in files])
    ran = subprocess.run(
        ["node", str(_SCRIPT), url, token, str(CHUNK_BYTES)],
        input=said,
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )
    assert ran.returncode in {0, _NOTHING_LEFT_TO_DO}, ran.stdout + ran.stderr
    return set(ran.stdout.split())


def kept_whole(root: Path, files: Sequence[LocalFile]) -> int:
    """Count those whose bytes lie in the store (of one organisation) with exactly their hash."""
    return sum(_hash_of(next(root.glob(f"*/{file.sha256[:2]}/{file.sha256}"), None)) == file.sha256 for file in files)


def _hash_of(path: Path | None) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path else ""
