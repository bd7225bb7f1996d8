"""Writes `tests/vectors/*.json` from the model: `python -m tests.vectors.generate`; `--check` only compares.

Every case of a theme is every combination of two short lists of acts, who holds the order, what the office does
meanwhile and who syncs first.
"""

import json
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from tests.vectors.model import STEPS, TEXT, Op, Server, spelt

FOLDER = Path(__file__).parent
type Json = dict[str, Any]
type Ops = list[Op]

# When things happen, in hours. See README.md: "first" says whether A acts before the order is taken from them.
ACTS_BEFORE, TAKEN, ACTS, FIRST_SYNC, OFFICE, SECOND_SYNC = 1.0, 2.0, 3.0, 4.0, 5.0, 6.0

_STATUS: list[Ops] = [
    [],
    [["to", "decline"]],
    [["to", "accept"]],
    [["to", "travel"]],
    [["to", "arrive"], ["to", "start"]],
    [["to", "travel"], ["to", "arrive"], ["to", "start"]],
    [["to", "arrive"], ["to", "start"], ["to", "resolve"]],
]
_ANSWERS: list[Ops] = [
    [],
    [["answer", "safety", True]],
    [["answer", "safety", False]],
    [["answer", "plain", 1]],
    [["answer", "safety", True], ["answer", "safety", False]],
    [["answer", "plain", 2], ["answer", "plain", 3]],
    [["answer", "safety", True], ["answer", "plain", 2], ["answer", "plain", 1]],
]
_TEXTS: list[Ops] = [
    [],
    [["text", {"head": "NEW"}]],
    [["text", {"middle": "BETA"}]],
    [["text", {"tail": "end"}]],
    [["text", {"tail": "end"}], ["text", {"tail": "end", "middle": "BETA"}]],
]
_OTHER_TEXTS: list[Ops] = [
    [],
    [["text", {"head": "OTHER"}]],
    [["text", {"middle": "BETA"}]],
    [["text", {"middle": "ELSE"}]],
    [["text", {"tail": "done"}], ["text", {"tail": "done", "head": "OTHER"}]],
]
_HOURS: list[Ops] = [
    [],
    [["time", "one", 9, 10]],
    [["time", "two", 10, 11]],
    [["time", "three", 9.5, 10.5]],
    [["time", "four", 9, 10], ["time", "five", 9.5, 11], ["time", "six", 11, 12]],
]
_PARTS: list[Ops] = [
    [],
    [["use", 1]],
    [["use", 2], ["back", 1]],
    [["serial", "s1"]],
    [["serial", "s1"], ["use", 1], ["serial", "s2"]],
    [["serial", "s2"], ["serial", "s2"]],
]
_NOTES: list[Ops] = [
    [],
    [["note", "one"]],
    [["note", "two"], ["photo", "p"]],
    [["photo", "q"], ["caption", "q", "Plate"]],
    [["photo", "r"], ["caption", "r", "Door"], ["hide", "r"]],
]

CREWS = ("same", "taken before", "taken after")


def cases(theme: str) -> Iterator[Json]:
    """Crew `same`: both devices are A's. `taken …`: the order is given to B, before or after A acts without signal."""
    offices = ("", "cancel", "suspend") if theme == "status" else ("",)
    for a, b, crew, office, sync in product(*_lists(theme), CREWS, offices, ("ab", "ba")):
        yield {"crew": crew, "a": a, "b": _named_apart(b), "office": office, "sync": sync}


def _lists(theme: str) -> tuple[list[Ops], list[Ops]]:
    match theme:
        case "status":
            return _STATUS, _STATUS
        case "answers":
            return _ANSWERS, _ANSWERS
        case "texts":
            return _TEXTS, _OTHER_TEXTS
        case "hours":
            return _HOURS, _HOURS
        case "parts":
            return _PARTS, _PARTS
        case "notes":
            return _NOTES, _NOTES
    raise ValueError(theme)


def _named_apart(ops: Ops) -> Ops:
    """What the other device makes is another thing."""
    return [
        [op[0], f"{op[1]} too", *op[2:]] if op[0] in {"note", "photo", "caption", "hide", "time"} else op for op in ops
    ]


def expected(theme: str, case: Json) -> Json:
    """Play a case on the model."""
    server = Server()
    who = {"a": "A", "b": "A" if case["crew"] == "same" else "B"}
    acted = {"a": ACTS_BEFORE if case["crew"] == "taken after" else ACTS, "b": ACTS}
    if case["crew"] != "same":
        server.give_to("B", TAKEN)
    results: dict[str, list[Any]] = {}
    for device, now in zip(case["sync"], (FIRST_SYNC, SECOND_SYNC), strict=True):
        results[device] = [server.take(device, who[device], op, acted[device], now) for op in case[device]]
        if now == FIRST_SYNC and case["office"]:
            server.office(case["office"], OFFICE)
    seen = {
        device: [_seen_before(theme, case[device]), _seen(theme, server) if server.sees(who[device]) else None]
        for device in "ab"
    }
    return {"results": results, "facts": _facts(theme, server), "seen": seen}


def _facts(theme: str, server: Server) -> Json:
    match theme:
        case "status":
            return {"order": server.state, "visits": [visit.state for visit in server.visits]}
        case "answers":
            kept = sum(len(given) for given in server.answers.values())
            return {"standing": _standing(server), "kept": kept}
        case "hours":
            return {"entries": sorted(hour[0] for hour in server.hours), "overlapping": sorted(server.overlapping)}
        case "parts":
            return {"vans": dict(server.vans), "serials_used": sorted(server.serials_used)}
    return dict(_seen(theme, server))


def _standing(server: Server) -> dict[str, list[Any]]:
    standing = {item: [it.value for it in given if it.stands] for item, given in sorted(server.answers.items())}
    return {item: sorted(values) for item, values in standing.items()}


def _seen(theme: str, server: Server) -> Any:
    match theme:
        case "status":
            return server.state
        case "answers":
            return _standing(server)
        case "texts":
            return {"text": spelt(server.text)}
        case "hours":
            return sorted(hour[0] for hour in server.hours)
        case "parts":
            return None
    return {"notes": sorted(server.notes), "photos": dict(sorted(server.photos.items()))}


def _seen_before(theme: str, ops: Ops) -> Any:
    """What a device shows of its own acts while nobody else knows of them."""
    match theme:
        case "status":
            return STEPS[ops[-1][1]][1] if ops else "dispatched"
        case "parts":
            return None
        case "texts":
            return {"text": spelt({**TEXT, **(ops[-1][1] if ops else {})})}
    alone = Server()
    for op in ops:
        alone.take("a", "A", op, ACTS, ACTS)
    return _seen(theme, alone)


THEMES = ("status", "answers", "texts", "hours", "parts", "notes")


def document(theme: str) -> str:
    """One case a line, so that a change shows as the lines it changes."""
    played = ({**case, "expect": expected(theme, case)} for case in cases(theme))
    body = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in played)
    return f'{{"theme":"{theme}","cases":[\n{body}\n]}}\n'


def main() -> int:
    stale = 0
    for theme in THEMES:
        path, text = FOLDER / f"{theme}.json", document(theme)
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale += 1
            sys.stderr.write(f"{path.name} is not what the model says: python -m tests.vectors.generate\n")
    return stale


if __name__ == "__main__":
    sys.exit(main())
