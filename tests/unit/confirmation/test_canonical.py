"""Canonical JSON against the RFC's own examples and against a real JavaScript engine."""

import json
import math
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.confirmation.canonical import canonical, digest

NODE = Path(__file__).parents[3] / ".venv" / "bin" / "node"


def double(bits: str) -> float:
    value: float = struct.unpack(">d", bytes.fromhex(bits))[0]
    return value


# RFC 8785, appendix B
@pytest.mark.parametrize(
    ("bits", "spelled"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("ffefffffffffffff", "-1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555554", "333333333.33333325"),
        ("41b3de4355555555", "333333333.3333333"),
        ("41b3de4355555556", "333333333.3333334"),
        ("41b3de4355555557", "333333333.33333343"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_spelled_as_the_rfc_lists_them(bits, spelled):
    assert canonical(double(bits)).decode() == spelled


def test_keys_sort_by_utf16_code_units():
    # RFC 8785, section 3.2.3
    unsorted = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(canonical(unsorted))) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_the_same_document_in_another_order_has_the_same_hash():
    assert digest({"a": 1, "b": [1.0, {"c": "é", "d": None}]}) == digest({"b": [1, {"d": None, "c": "é"}], "a": 1})


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 10**400, {"a": {1}}, {1: 2}, "\ud800", b"x"])
def test_what_is_no_json_is_refused(wrong):
    with pytest.raises(ValueError, match=r"JSON|surrogates|infinit|NaN"):
        canonical(wrong)


# No key holds a backslash: after an object with such a key, JSON.parse of V8 (seen in Node 24.19, not in 20) may take
# a key that is written with an escape for it. Ours are names of fields; one that needs no engine is below.
_KEY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\"), max_size=8)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEY, inner),
    max_leaves=10,
)


def test_keys_may_hold_what_must_be_escaped():
    assert canonical({"`": 0, "\\": 1, '"': 2, "\n": 3}) == rb'{"\n":3,"\"":2,"\\":1,"`":0}'


@given(json_values)
def test_spelling_twice_changes_nothing(value):
    once = canonical(value)
    assert canonical(json.loads(once)) == once


@pytest.mark.skipif(not NODE.exists() and not shutil.which("node"), reason="no JavaScript engine on this machine")
def test_two_thousand_doubles_are_spelled_as_javascript_spells_them():
    import random

    chance = random.Random(8785)
    doubles: list[float] = []
    while len(doubles) < 2000:
        value = struct.unpack(">d", chance.randbytes(8))[0] if len(doubles) % 2 else chance.uniform(-1e7, 1e7)
        if math.isfinite(value):
            doubles.append(value)
    program = "process.stdin.on('data',d=>{s+=d}).on('end',()=>console.log(JSON.stringify(JSON.parse(s))));let s=''"
    engine = str(NODE) if NODE.exists() else "node"
    spelled = subprocess.run(
        [engine, "-e", program], input=json.dumps(doubles), capture_output=True, text=True, check=True
    ).stdout.strip()
    assert canonical(doubles).decode() == spelled


_PROGRAM = """
const spell = v => Array.isArray(v) ? '[' + v.map(spell).join() + ']'
  : v && typeof v === 'object' ? '{' + Object.keys(v).sort().map(k => pair(k, v[k])).join() + '}'
  : JSON.stringify(v)
const pair = (key, value) => JSON.stringify(key) + ':' + spell(value)
let s = ''
process.stdin.on('data', d => { s += d }).on('end', () => process.stdout.write(spell(JSON.parse(s))))
"""


@pytest.mark.skipif(not NODE.exists() and not shutil.which("node"), reason="no JavaScript engine on this machine")
@settings(max_examples=15, deadline=None)
@given(st.lists(st.dictionaries(_KEY, json_values, max_size=12), min_size=20, max_size=60))
def test_whole_documents_are_spelled_as_javascript_would(documents):
    """Keys by UTF-16 code units, text with the same escapes, numbers alike: on the phone the hash is the same."""
    engine = str(NODE) if NODE.exists() else "node"
    spelled = subprocess.run(
        [engine, "-e", _PROGRAM], input=json.dumps(documents).encode(), capture_output=True, check=True
    )
    assert canonical(documents) == spelled.stdout
