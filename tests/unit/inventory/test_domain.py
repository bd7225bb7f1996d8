"""Which movement may go where, and what a tracked part asks for."""

from decimal import Decimal
from uuid import uuid4

import pytest

from server.inventory.domain import ENDS, Location, LocationKind, Part, Reason, check_ends
from server.inventory.errors import ReasonDoesNotFit, SameLocation, SerialNeeded, SerialNotTracked


def place(kind: LocationKind) -> Location:
    return Location(uuid4(), kind, kind.value, None)


def a_part(*, tracked: bool) -> Part:
    return Part(uuid4(), "P", {"en": "p", "zh": "p"}, "pc", tracked, 100, "EUR")


def test_every_reason_says_where_it_moves_stock():
    assert ENDS.keys() == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_movement_needs_two_places(reason):
    van = place(LocationKind.VAN)
    with pytest.raises(SameLocation):
        check_ends(reason, van, van)


def test_goods_come_in_only_from_a_supplier():
    check_ends(Reason.GOODS_IN, place(LocationKind.SUPPLIER), place(LocationKind.WAREHOUSE))
    with pytest.raises(ReasonDoesNotFit):
        check_ends(Reason.GOODS_IN, place(LocationKind.WAREHOUSE), place(LocationKind.VAN))


def test_nothing_comes_back_from_the_outside_world_as_a_transfer():
    for outside in (LocationKind.SUPPLIER, LocationKind.CONSUMED, LocationKind.ADJUSTMENT):
        with pytest.raises(ReasonDoesNotFit):
            check_ends(Reason.TRANSFER, place(outside), place(LocationKind.VAN))


@pytest.mark.parametrize(("quantity", "serial"), [(2, "S"), (1, None), (Decimal("0.5"), "S")])
def test_a_tracked_part_moves_as_one_named_piece(quantity, serial):
    with pytest.raises(SerialNeeded):
        a_part(tracked=True).check_serial(Decimal(quantity), serial)


def test_a_part_that_is_not_tracked_takes_no_serial():
    a_part(tracked=False).check_serial(Decimal("2.5"), None)
    with pytest.raises(SerialNotTracked):
        a_part(tracked=False).check_serial(Decimal(1), "S")
