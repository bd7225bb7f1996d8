"""Words and numbers as each language prints them."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.confirmation.domain import Language, code_of
from server.confirmation.presentation import Printing, messages


def document(language: str = "en", **changed):
    plain: dict[str, Any] = {
        "language": language,
        "organisation": {"name": "Acme", "timezone": "Asia/Shanghai"},
        "order": {
            "number": 7,
            "title": "t",
            "description": "",
            "priority": "high",
            "reported_at": "2026-11-23T17:30:00Z",
        },
        "closed_at": None,
        "customer": {"number": "C00001", "name": "Hotel"},
        "site": {"name": "Roof", "address": "1 Quay"},
        "asset": None,
        "visits": [],
        "checklist": [],
        "notes": [],
        "times": [],
        "parts": [],
        "costs": [],
        "totals": [],
        "photos": [],
        "signature": None,
    }
    return plain | changed


def item(**changed):
    plain = {"label": "x", "kind": "number", "value": None, "unit": None, "minimum": None, "maximum": None}
    return plain | {"out_of_limits": False} | changed


def test_times_are_told_in_the_organisation_s_zone_and_the_reader_s_form():
    said = {language: dict(Printing(document(language)).view()["facts"][1]) for language in ("en", "zh")}
    assert said["en"]["Reported"] == "24 Nov 2026 01:30"
    assert said["zh"]["报修时间"] == "2026年11月24日 01:30"


@pytest.mark.parametrize(
    ("minor", "currency", "printed"),
    [(123456, "EUR", "1,234.56 EUR"), (1500, "JPY", "1,500 JPY"), (1500, "KWD", "1.500 KWD"), (0, "CNY", "0.00 CNY")],
)
def test_money_keeps_the_decimals_of_its_currency(minor, currency, printed):
    view = Printing(document(totals=[{"amount_minor": minor, "currency": currency}])).view()
    assert view["totals"] == [printed]


@pytest.mark.parametrize(
    ("facts", "result", "limits", "alarm"),
    [
        (item(kind="yes_no", value=True), "Yes", "", False),
        (item(kind="yes_no", value=False), "No", "", True),
        (item(value=12.5, unit="°C", minimum=6.0, maximum=9.0, out_of_limits=True), "12.5 °C", "6 – 9 °C", True),
        (item(value=4, unit="bar", minimum=3.5), "4 bar", "≥ 3.5 bar", False),
        (item(value=4, maximum=5), "4", "≤ 5", False),
        (item(), "–", "", False),
        (item(kind="photo", value="abc"), "✓", "", False),
        (item(kind="text", value="worn"), "worn", "", False),
    ],
)
def test_answers_are_printed_as_people_say_them(facts, result, limits, alarm):
    line = Printing(document(checklist=[facts])).view()["checklist"][0]
    assert (line["result"], line["limits"], line["alarm"]) == (result, limits, alarm)


def test_both_catalogues_say_the_same_things():
    english, chinese = messages(Language.EN), messages(Language.ZH)
    assert english.keys() == chinese.keys()
    folder = Path(__file__).parents[3] / "server" / "confirmation" / "messages"
    assert {path.stem for path in folder.glob("*.json")} == set(Language)
    assert all(json.loads(path.read_text()) for path in folder.glob("*.json"))


@pytest.mark.parametrize(("locale", "language"), [("zh-CN", "zh"), ("ZH", "zh"), ("en-GB", "en"), ("fr", "en")])
def test_a_locale_finds_its_catalogue(locale, language):
    assert Language.of(locale) == language


def test_a_code_has_128_bits_in_26_characters():
    assert len(code_of(bytes(16))) == 26
    assert code_of(bytes(range(16))) != code_of(bytes(16))
