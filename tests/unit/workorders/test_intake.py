from hypothesis import given
from hypothesis import strategies as st

from server.core.search import containing, digits_of
from server.workorders.intake import title_of


def test_the_first_line_becomes_the_title():
    assert title_of("\n  Oven stays cold \nsince Monday") == "Oven stays cold"


@given(st.text())
def test_a_title_is_one_short_line(text):
    title = title_of(text)
    assert len(title) <= 120
    assert len(title.splitlines()) <= 1


def test_wildcards_are_searched_for_literally():
    assert containing(r"50%_a\b") == r"%50\%\_a\\b%"


def test_telephone_numbers_compare_by_their_digits():
    assert digits_of("+377 (93) 25-50.00") == "37793255000"
