"""What counts as an answer, and how answers lie beside their items."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from server.workorders.errors import AnswerDoesNotFit, ProcedureWithoutItems
from server.workorders.procedures import Item, ItemDraft, ItemKind, check_answer, check_drafts, unanswered
from server.workorders.records import Answer
from server.workorders.views import checklist

LABEL = {"en": "Heat", "zh": "温度"}
CHOICES = [{"key": "good", "en": "Good", "zh": "好"}, {"key": "bad", "en": "Bad", "zh": "坏"}]


def an_item(kind: ItemKind, *, required: bool = True, **limits) -> Item:
    given_limits = {"unit": None, "minimum": None, "maximum": None, **limits}
    return Item(uuid4(), uuid4(), 1, kind, LABEL, required, choices=CHOICES, safety_critical=False, **given_limits)


def an_answer(item: Item, value, *, superseded_by: UUID | None = None) -> Answer:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return Answer(uuid4(), item.id, value, uuid4(), "Ana", at, superseded_by, disputed=False)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ItemKind.YES_NO, False),
        (ItemKind.NUMBER, 0),
        (ItemKind.NUMBER, -3.5),
        (ItemKind.CHOICE, "bad"),
        (ItemKind.TEXT, "clean"),
        (ItemKind.BARCODE, "4006381333931"),
        (ItemKind.PHOTO, "0192f7a0-0000-7000-8000-000000000000"),
    ],
)
def test_an_answer_of_the_right_shape_fits(kind, value):
    check_answer(an_item(kind), value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ItemKind.YES_NO, 1),
        (ItemKind.YES_NO, "yes"),
        (ItemKind.NUMBER, True),
        (ItemKind.NUMBER, "12"),
        (ItemKind.CHOICE, "middling"),
        (ItemKind.TEXT, ""),
        (ItemKind.TEXT, None),
        (ItemKind.PHOTO, []),
    ],
)
def test_an_answer_of_the_wrong_shape_is_refused(kind, value):
    with pytest.raises(AnswerDoesNotFit):
        check_answer(an_item(kind), value)


def test_only_required_items_hold_an_order_up():
    must, may = an_item(ItemKind.TEXT), an_item(ItemKind.TEXT, required=False)
    assert unanswered([must, may], []) == [must]
    assert unanswered([must, may], [must.id]) == []


def test_a_reading_outside_its_limits_is_a_finding():
    item = an_item(ItemKind.NUMBER, minimum=180, maximum=250)
    cold, right = checklist([item], [an_answer(item, 20)])[0], checklist([item], [an_answer(item, 200)])[0]
    assert cold.out_of_limits
    assert not right.out_of_limits
    assert not checklist([item], [])[0].out_of_limits


def test_the_answer_that_stands_is_shown_with_those_it_replaced():
    item = an_item(ItemKind.TEXT)
    second = an_answer(item, "two")
    first = an_answer(item, "one", superseded_by=second.id)
    line = checklist([item], [first, second])[0]
    assert (line.answer, line.earlier) == (second, (first,))


@pytest.mark.parametrize("drafts", [[], [ItemDraft(ItemKind.CHOICE, LABEL, choices=({"key": "only"},))]])
def test_a_procedure_nobody_could_follow_is_refused(drafts):
    with pytest.raises(ProcedureWithoutItems):
        check_drafts(drafts)
