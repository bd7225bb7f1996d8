"""What the reference device signs is what the server checks."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from server.confirmation import canonical as server
from server.confirmation.attestation import attested
from server.confirmation.domain import Attested
from simulator.device.attestation import DeviceKey, canonical

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
documents = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=12,
)


@given(documents)
def test_the_device_spells_json_as_the_server_does(document):
    assert canonical(document) == server.canonical(document)


def test_a_package_it_attests_verifies_and_any_other_does_not():
    key = DeviceKey.draw(Random(7))
    package = key.attested({"signer_name": "林女士", "strokes": [[[1.5, 2.0, 16.0]]]})
    signature = package.pop("attestation")["signature"]
    assert attested(key.public, server.canonical(package), signature) is Attested.VERIFIED
    assert attested(key.public, server.canonical(package | {"rating": 5}), signature) is Attested.INVALID
    assert attested(DeviceKey.draw(Random(8)).public, server.canonical(package), signature) is Attested.INVALID


def test_the_same_seed_is_the_same_phone_and_survives_a_restart():
    key = DeviceKey.draw(Random(7))
    assert DeviceKey.draw(Random(7)).public == key.public == DeviceKey.load(key.dump()).public
