"""What people put down, kept apart from every phone and from the server: the simulation's own memory."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from simulator.device import Recorded


def digest(name: str, args: Any) -> bytes:
    text = json.dumps([name, args], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()


@dataclass
class Entry:
    """One act. `allowed` are the ways it may end; `kept` is whether some phone still has it."""

    phone: int
    digest: bytes
    allowed: frozenset[str]
    kept: bool = True


class Journal:
    def __init__(self) -> None:
        self.open: dict[str, Entry] = {}
        self.done: set[bytes] = set()
        self.recorded_in_all = 0
        self.by_name: Counter[str] = Counter()
        self._on_phone: dict[int, set[str]] = {}

    def recorded(self, phone: int, it: Recorded, allowed: frozenset[str]) -> None:
        self.open[it.id] = Entry(phone, digest(it.name, it.args), allowed)
        self._on_phone.setdefault(phone, set()).add(it.id)
        self.recorded_in_all += 1
        self.by_name[it.name] += 1

    def storage_lost(self, phone: int) -> None:
        """What this phone alone held is gone, save what was on its way already."""
        for mutation in self._on_phone.pop(phone, set()):
            if mutation in self.open:
                self.open[mutation].kept = False

    def storage_found(self, phone: int, unsent: Iterable[str]) -> None:
        """A backup brought these back."""
        for mutation in unsent:
            if mutation in self.open:
                self.open[mutation].kept = True
                self._on_phone.setdefault(phone, set()).add(mutation)

    def settled(self, mutation: str) -> Entry | None:
        """The log has it, as it should be. Answers the entry the first time."""
        entry = self.open.pop(mutation, None)
        if entry is not None:
            self.done.add(bytes.fromhex(mutation.replace("-", "")))
            self._on_phone.get(entry.phone, set()).discard(mutation)
        return entry

    def known(self, mutation: str) -> bool:
        return mutation in self.open or bytes.fromhex(mutation.replace("-", "")) in self.done

    def missing(self) -> list[str]:
        """Acts that some phone holds or has sent and that the log lacks."""
        return [mutation for mutation, entry in self.open.items() if entry.kept]
