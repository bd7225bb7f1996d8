"""Merging texts by words and records by fields: whatever two people wrote, nothing of it is lost."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.sync import merge
from server.sync.merge import (
    Change,
    Clash,
    FieldsMerged,
    Merged,
    Overlap,
    Owner,
    changes,
    merge_fields,
    merge_text,
    words,
)

PIECES = ["seal", "worn", "new", "阀", "漏", "水", " ", "  ", "\n", ",", ".", "é", "42"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=30)


def both_readings(found: Overlap) -> tuple[str, str]:
    """The text as each of the two would have it, read from the pieces."""
    mine = "".join(piece.mine if isinstance(piece, Clash) else piece for piece in found.pieces)
    theirs = "".join(piece.theirs if isinstance(piece, Clash) else piece for piece in found.pieces)
    return mine, theirs


def inserted(base: str, edited: str) -> Counter[str]:
    return Counter(words(edited)) - Counter(words(base))


@given(TEXTS)
def test_words_joined_again_are_the_text(text):
    assert "".join(words(text)) == text


def test_each_chinese_character_is_a_word_and_latin_ones_stay_whole():
    assert words("换了seal,  好了") == ["换", "了", "seal", ",", "  ", "好", "了"]


@given(TEXTS, TEXTS)
def test_a_side_that_changed_nothing_leaves_the_others_text(base, edited):
    assert merge_text(base, edited, base) == Merged(edited)
    assert merge_text(base, base, edited) == Merged(edited)


@given(TEXTS, TEXTS)
def test_the_same_edit_made_twice_is_one_edit(base, edited):
    assert merge_text(base, edited, edited) == Merged(edited)


@given(TEXTS, TEXTS, TEXTS)
def test_it_does_not_matter_who_came_first(base, one, other):
    match merge_text(base, one, other), merge_text(base, other, one):
        case Merged(first), Merged(second):
            assert first == second
        case Overlap() as first, Overlap() as second:
            assert [(it.base, it.mine, it.theirs) for it in first.clashes] == [
                (it.base, it.theirs, it.mine) for it in second.clashes
            ]
        case unequal:
            pytest.fail(f"merged one way only: {unequal}")


@given(TEXTS, TEXTS, TEXTS)
def test_every_word_somebody_wrote_is_in_the_merged_text_or_in_a_clash(base, one, other):
    merged = merge_text(base, one, other)
    pieces = [merged.text] if isinstance(merged, Merged) else list(merged.pieces)
    kept: Counter[str] = Counter()
    for piece in pieces:
        kept.update(words(piece) if isinstance(piece, str) else words(piece.mine) + words(piece.theirs))
    for word in inserted(base, one) | inserted(base, other):
        assert word in kept


@given(TEXTS, TEXTS, TEXTS)
def test_a_merged_text_has_all_changes_of_both_and_a_clash_reads_as_each_wrote_it(base, one, other):
    merged = merge_text(base, one, other)
    if isinstance(merged, Merged):
        assert Counter(words(merged.text)) >= inserted(base, one) | inserted(base, other)
        return
    mine, theirs = both_readings(merged)
    assert Counter(words(mine)) >= inserted(base, one)
    assert Counter(words(theirs)) >= inserted(base, other)
    assert all(it.mine != it.theirs for it in merged.clashes)


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.lists(st.sampled_from(PIECES), max_size=12))
def test_changes_turn_one_text_into_the_other_and_never_touch(before, after):
    made = changes(before, after)
    built, at = [], 0
    for change in made:
        assert change.start >= at
        built += [*before[at : change.start], *change.by]
        at = change.end
    assert built + before[at:] == after
    assert all(first.end < second.start for first, second in pairwise(made))


@given(st.lists(st.sampled_from("abc"), max_size=9), st.lists(st.sampled_from("abc"), max_size=9))
def test_changes_keep_as_much_as_possible(before, after):
    rows = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i, left in enumerate(before):
        for j, right in enumerate(after):
            rows[i + 1][j + 1] = rows[i][j] + 1 if left == right else max(rows[i][j + 1], rows[i + 1][j])
    replaced = sum(change.end - change.start for change in changes(before, after))
    assert len(before) - replaced == rows[-1][-1]


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged"),
    [
        (
            "the old seal is worn",
            "the old blue seal is worn",
            "the old seal is very worn",
            "the old blue seal is very worn",
        ),
        ("主轴漏水,已处理", "主轴严重漏水,已处理", "主轴漏水,已处理好", "主轴严重漏水,已处理好"),
        ("line one\nline two\n", "line one!\nline two\n", "line one\nline 2\n", "line one!\nline 2\n"),
        ("a b c", "b c", "a b", "b"),
    ],
)
def test_changes_at_different_words_merge(base, mine, theirs, merged):
    assert merge_text(base, mine, theirs) == Merged(merged)


def test_changes_of_the_same_word_clash_and_the_rest_is_agreed():
    found = merge_text("valve is open now", "valve is shut now", "valve is stuck now")
    assert found == Overlap(("valve is ", Clash("open", "shut", "stuck"), " now"))


def test_two_sentences_added_at_the_same_end_clash_and_both_are_kept():
    found = merge_text("Done.", "Done. Key at desk.", "Done. Call back.")
    assert isinstance(found, Overlap)
    assert both_readings(found) == ("Done. Key at desk.", "Done. Call back.")


def test_neighbouring_characters_count_as_overlapping():
    assert isinstance(merge_text("阀门关", "阀体关", "闸门关"), Overlap)


def test_a_text_rewritten_from_end_to_end_is_one_change_and_costs_no_time(monkeypatch):
    before, after = ["a"] * 20_000, ["b"] * 20_000
    assert changes(before, after) == [Change(0, 20_000, tuple(after))]
    monkeypatch.setattr(merge, "MOST_EDITS", 1)
    assert changes(list("xaby"), list("xcdy")) == [Change(1, 3, ("c", "d"))]


OWNERS = {"priority": Owner.OFFICE, "access_notes": Owner.FIELD, "title": Owner.OFFICE}
STANDING = {"priority": "high", "access_notes": "Ring twice", "title": "Oven"}


@pytest.mark.parametrize(
    ("base", "wanted", "expected"),
    [
        ({"priority": "high"}, {"priority": "urgent"}, FieldsMerged({"priority": "urgent"}, {}, {}, beside=False)),
        ({"priority": "normal"}, {"priority": "high"}, FieldsMerged({}, {}, {}, beside=False)),
        ({"priority": "normal"}, {"priority": "normal"}, FieldsMerged({}, {}, {}, beside=True)),
        ({"priority": "normal"}, {"priority": "urgent"}, FieldsMerged({}, {"priority": "urgent"}, {}, beside=False)),
        (
            {"access_notes": "Ring"},
            {"access_notes": "Gate 4"},
            FieldsMerged({"access_notes": "Gate 4"}, {}, {"access_notes": "Ring twice"}, beside=False),
        ),
        ({}, {"title": "Grill"}, FieldsMerged({}, {"title": "Grill"}, {}, beside=False)),
        (
            {"title": "Oven", "priority": "normal"},
            {"title": "Grill"},
            FieldsMerged({"title": "Grill"}, {}, {}, beside=True),
        ),
    ],
    ids=["unchanged", "both_the_same", "not_changed_at_all", "office_outranks", "field_outranks", "unseen", "beside"],
)
def test_fields_merge_by_what_was_seen_and_by_their_owner(base, wanted, expected):
    assert merge_fields(base, wanted, STANDING, OWNERS) == expected


VALUES = st.sampled_from(["a", "b", "c"])
PATCHES = st.dictionaries(st.sampled_from(list(OWNERS)), VALUES)


@given(PATCHES, PATCHES, st.fixed_dictionaries(dict.fromkeys(OWNERS, VALUES)))
def test_no_value_of_a_patch_or_under_it_disappears(base, wanted, standing):
    found = merge_fields(base, wanted, standing, OWNERS)
    now = standing | found.taken
    for name, value in wanted.items():
        assert now[name] == value or found.kept_out.get(name) == value or base.get(name) == value
    for name, value in standing.items():
        clashed = base.get(name) != value
        assert now[name] == value or found.overruled.get(name) == value or not clashed
