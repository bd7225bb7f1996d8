"""Looks at every answer of the server as it goes by."""

import json
import re
from collections import Counter
from collections.abc import Mapping

from tests.soak.broken import Broken
from tests.soak.line import Answer, path_of
from tests.soak.world import RIVAL, STRANGER

_OURS = re.compile(rb"ORDER-(\d+)-TEXT")


class Eyes:
    """I8: nothing of another organisation or person is ever sent. And the server fails only in the way it may.

    ever_sent: number in an order's text → people it was ever sent to. devices: device id → person.
    """

    def __init__(self, ever_sent: Mapping[int, set[str]], persons: Mapping[str, str]) -> None:
        self._ever_sent, self._persons = ever_sent, persons
        self.answers: Counter[str] = Counter()
        self.bytes_pulled = 0

    def __call__(self, answer: Answer) -> None:
        path = answer.request.url.path
        self.answers[f"{path_of(answer.request)} {answer.status}"] += 1
        if answer.status >= 500 and answer.status != 503:
            raise Broken("5xx", f"{answer.request.method} {path}: {answer.status} {answer.response().text[:500]}")
        if path.startswith("/mobile/") and answer.body:
            self._look_for_others(answer, path)

    def _look_for_others(self, answer: Answer, path: str) -> None:
        body = answer.response().content
        for canary in (RIVAL, STRANGER):
            if canary.encode() in body:
                raise Broken("I8", f"{path} answered with {canary}")
        if path.endswith("/sync/pull") and answer.status == 200:
            self.bytes_pulled += len(answer.body)
            person = self._persons[json.loads(answer.request.content)["device"]]
            for number in set(_OURS.findall(body)):
                if person not in self._ever_sent[int(number)]:
                    raise Broken("I8", f"{person} was given order {int(number)} that was never theirs")
