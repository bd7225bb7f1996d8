"""A report document as strings ready to print: the template lays out and decides nothing."""

import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from server.confirmation.domain import Document, Language

_MESSAGES = Path(__file__).parent / "messages"
_STARS = 5

# Currencies whose smallest unit is not a hundredth.
_DECIMALS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3, "JOD": 3}


@lru_cache
def messages(language: Language) -> dict[str, str]:
    catalogue: dict[str, str] = json.loads((_MESSAGES / f"{language}.json").read_text(encoding="utf-8"))
    return catalogue


class Printing:
    """Spells one document's values in its language and its organisation's time zone."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._words = messages(Language(document["language"]))
        self._zone = ZoneInfo(document["organisation"]["timezone"])

    def view(self) -> dict[str, Any]:
        """Answer everything the template prints."""
        document = self._document
        return {
            "words": self._words,
            "organisation": document["organisation"]["name"],
            "number": str(document["order"]["number"]),
            "title": document["order"]["title"],
            "priority": document["order"]["priority"],
            "facts": self._facts(),
            "request": document["order"]["description"],
            "notes": [self._note(note) for note in document["notes"]],
            "checklist": [self._checked(item) for item in document["checklist"]],
            "lines": [self._part(part) for part in document["parts"]]
            + [self._cost(cost) for cost in document["costs"]],
            "totals": [self._money(total["amount_minor"], total["currency"]) for total in document["totals"]],
            "times": [self._stretch(time) for time in document["times"]],
            "photos": [
                {"sha256": photo["sha256"], "caption": photo["caption"], "at": self._moment(photo["at"])}
                for photo in document["photos"]
            ],
            "signature": self._signature(),
            "not_signed": self._not_signed(),
        }

    def _facts(self) -> list[list[list[str]]]:
        """Answer the two columns of facts, each a list of label and value; what is not known is left out."""
        order, asset, words = self._document["order"], self._document["asset"], self._words
        customer, site = self._document["customer"], self._document["site"]
        engineers = dict.fromkeys(visit["engineer"] for visit in self._document["visits"] if visit["engineer"])
        left = [
            [words["customer"], customer["name"]],
            [words["customer_number"], customer["number"]],
            [words["site"], "\n".join(filter(None, [site["name"], site["address"]]))],
        ]
        right = [
            [words["asset"], f"{asset['product']} {asset['model']}".strip() if asset else ""],
            [words["serial"], asset["serial"] if asset else ""],
            [words["engineer"], ", ".join(engineers)],
            [words["reported"], self._moment(order["reported_at"])],
            [words["closed"], self._moment(self._document["closed_at"])],
        ]
        return [[fact for fact in column if fact[1]] for column in (left, right)]

    def _note(self, note: dict[str, Any]) -> dict[str, str]:
        return {"author": note["author"], "at": self._moment(note["at"]), "body": note["body"]}

    def _checked(self, item: dict[str, Any]) -> dict[str, Any]:
        value, words = item["value"], self._words
        match value:
            case None:
                said = words["unanswered"]
            case bool():
                said = words["yes" if value else "no"]
            case int() | float():
                said = " ".join(filter(None, [_plain(value), item["unit"]]))
            case _:
                said = "✓" if item["kind"] == "photo" else str(value)
        return {
            "label": item["label"],
            "result": said,
            "limits": _limits(item["minimum"], item["maximum"], item["unit"]),
            "alarm": item["out_of_limits"] or value is False,
            "note": words["out_of_limits"] if item["out_of_limits"] else "",
        }

    def _part(self, part: dict[str, Any]) -> dict[str, str]:
        return {
            "name": part["name"],
            "detail": " · ".join([part["sku"], *part["serials"]]),
            "quantity": f"{part['quantity']} {part['unit']}",
            "price": self._money(part["price_minor"], part["currency"]),
            "amount": self._money(part["amount_minor"], part["currency"]),
        }

    def _cost(self, cost: dict[str, Any]) -> dict[str, str]:
        return {
            "name": self._words[f"cost.{cost['kind']}"],
            "detail": cost["description"],
            "quantity": "",
            "price": "",
            "amount": self._money(cost["amount_minor"], cost["currency"]),
        }

    def _stretch(self, time: dict[str, Any]) -> dict[str, str]:
        minutes = time["minutes"]
        return {
            "person": time["person"],
            "kind": self._words[f"time.{time['kind']}"],
            "from": self._moment(time["started_at"]),
            "to": self._moment(time["ended_at"]),
            "duration": "" if minutes is None else self._duration(minutes),
        }

    def _signature(self) -> dict[str, Any] | None:
        signed = self._document["signature"]
        if signed is None:
            return None
        return {
            "name": signed["signer_name"],
            "role": signed["signer_role"],
            "at": self._moment(signed["at"]),
            "stars": "★" * signed["rating"] + "☆" * (_STARS - signed["rating"]),
            "comment": signed["comment"],
        }

    def _not_signed(self) -> str:
        unsigned = self._document.get("unsigned")
        if unsigned is None:
            return self._words["not_signed"]
        return self._words[f"unsigned.{unsigned['ending']}"].format(
            reason=unsigned["reason"], at=self._moment(unsigned["at"])
        )

    def _duration(self, minutes: int) -> str:
        return self._words["duration_format"].format(hours=minutes // 60, minutes=f"{minutes % 60:02}")

    def _money(self, minor: int, currency: str) -> str:
        places = _DECIMALS.get(currency, 2)
        return f"{minor / 10**places:,.{places}f} {currency}"

    def _moment(self, text: str | None) -> str:
        if text is None:
            return ""
        at = datetime.fromisoformat(text).astimezone(self._zone)
        return f"{self._date(at)} {at:{self._words['time_format']}}"

    def _date(self, at: datetime) -> str:
        # Month names from the catalogue: strftime's would depend on the machine's locale.
        form, months = self._words["date_format"], self._words["months"].split()
        if months:
            form = form.replace("%b", months[at.month - 1])
        return at.strftime(form)


def _limits(minimum: float | None, maximum: float | None, unit: str | None) -> str:
    match minimum, maximum:
        case None, None:
            return ""
        case None, high:
            said = f"≤ {_plain(high)}"
        case low, None:
            said = f"≥ {_plain(low)}"
        case low, high:
            said = f"{_plain(low)} – {_plain(high)}"
    return " ".join(filter(None, [said, unit]))


def _plain(number: float | None) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)
