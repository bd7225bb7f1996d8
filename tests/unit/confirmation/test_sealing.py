"""A sealed print shows every change; keys are private, made once, and what an old one sealed stays good."""

import asyncio
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
import typst
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pypdf import PdfReader

from server.confirmation.domain import SealLevel
from server.confirmation.sealing import Authority, Sealer, check_seal
from server.confirmation.seals import SealKeys, is_signed_by
from server.core.clock import SystemClock
from tests.factories.audit import an_authority

ORG, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture(scope="module")
def pdf(tmp_path_factory) -> bytes:
    page = tmp_path_factory.mktemp("typst") / "page.typ"
    page.write_text("= Service report\nTwo hours, one capacitor.")
    return typst.compile(str(page))


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> SealKeys:
    return SealKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def sealer(keys) -> Sealer:
    return Sealer(keys, SystemClock())


@pytest.fixture(scope="module")
def sealed(sealer, pdf):
    return asyncio.run(sealer.seal(ORG, "Acme Service", pdf))


def check(sealed, content=None, known=None, authorities=()):
    """Judge as anybody may who has the bytes and the organisation's certificates."""
    return asyncio.run(check_seal(sealed.content if content is None else content, known or [sealed.pem], authorities))


def test_a_sealed_print_is_still_the_print_and_says_who_sealed_it(sealed, pdf):
    seal = check(sealed)
    assert (seal.valid, seal.why, seal.level, seal.timestamped_at) == (True, None, SealLevel.BASIC, None)
    assert "Acme Service" in (seal.sealed_by or "")
    assert seal.fingerprint == sealed.fingerprint
    assert datetime.now(UTC) - seal.sealed_at < timedelta(minutes=5)
    assert sealed.content.startswith(pdf), "the print itself is untouched; the seal was appended"
    assert "one capacitor" in PdfReader(io.BytesIO(sealed.content)).pages[0].extract_text()


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x01]) + content[at + 1 :]


def test_every_changed_byte_breaks_the_seal(sealed):
    """Every region: head, content, cross references, the seal's own bytes and the room left behind them."""
    content = sealed.content
    gap = content.index(b"/Contents <") + 10
    end = content.index(b">", gap)
    places = {*range(0, len(content), 61), *range(gap, end + 1, 29), gap, end, 0, len(content) - 1}
    survived = [at for at in sorted(places) if check(sealed, flipped(content, at)).valid]
    assert survived == []


def test_the_seal_s_other_spelling_is_another_file(sealed):
    content = sealed.content
    gap = content.index(b"/Contents <") + 11
    end = content.index(b">", gap)
    lower = content[:gap] + content[gap:end].lower() + content[end:]
    assert lower != content
    assert check(sealed, lower).why == "something was added after it was sealed"


def test_what_is_hidden_in_the_room_kept_for_the_seal_is_found(sealed):
    content = sealed.content
    end = content.index(b">", content.index(b"/Contents <"))
    hidden = content[: end - 40] + b"C0FFEE" + content[end - 34 :]
    assert check(sealed, hidden).valid is False


def test_a_revision_appended_as_pdf_allows_is_found(sealed):
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed.content))
    writer.root["/Lang"] = writer.root.raw_get("/Type")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    seal = check(sealed, out.getvalue())
    assert (seal.valid, seal.why) == (False, "something was added after it was sealed")


@pytest.mark.parametrize("more", [b"\n", b" " * 100, b"%%EOF\n", b"<script>"])
def test_bytes_appended_behind_the_end_are_found(sealed, more):
    assert check(sealed, sealed.content + more).valid is False


def test_a_seal_cut_short_is_none(sealed):
    for length in range(0, len(sealed.content), 501):
        assert check(sealed, sealed.content[:length]).valid is False


def test_a_second_seal_on_top_is_not_ours_any_more(sealer, sealed):
    with pytest.raises(Exception, match=r".+"):
        asyncio.run(sealer.seal(ORG, "Acme Service", sealed.content))


def test_a_seal_by_somebody_else_with_the_same_name_is_refused(sealer, sealed, pdf, tmp_path):
    forged = asyncio.run(Sealer(SealKeys(tmp_path), SystemClock()).seal(ORG, "Acme Service", pdf))
    seal = check(forged, known=[sealed.pem])
    assert (seal.valid, seal.why) == (False, "it was sealed with a certificate this organisation never had")


def test_a_print_without_a_seal_says_so(sealed, pdf):
    seal = check(sealed, pdf)
    assert (seal.valid, seal.why, seal.level) == (False, "it was never sealed", SealLevel.NONE)


async def test_with_an_authority_the_seal_is_time_stamped_and_its_stamp_is_checked(sealer, pdf):
    stamping = replace(sealer, authority=an_authority())
    stamped = await stamping.seal(ORG, "Acme Service", pdf)
    seal = await stamping.check(stamped.content, [stamped.pem])
    assert (seal.valid, seal.level) == (True, SealLevel.TIMESTAMPED)
    assert datetime.now(UTC) - seal.timestamped_at < timedelta(minutes=5)
    other = replace(sealer, authority=an_authority())
    unknown = await other.check(stamped.content, [stamped.pem])
    assert (unknown.valid, unknown.why) == (False, "the time-stamp is not by an authority we know")


async def test_an_authority_that_does_not_answer_costs_the_stamp_and_not_the_report(sealer, pdf):
    class Silent:
        async def async_timestamp(self, *_asked):
            raise OSError

        async_dummy_response = async_timestamp

    authority = Authority(cast("Any", Silent()), ())
    sealed = await replace(sealer, authority=authority).seal(ORG, "Acme Service", pdf)
    assert sealed.level is SealLevel.BASIC
    assert (await sealer.check(sealed.content, [sealed.pem])).valid


async def test_a_time_stamp_over_other_words_does_not_hold(sealer):
    stamping = replace(sealer, authority=an_authority())
    token = await stamping.timestamp(b"head")
    assert token is not None
    assert await stamping.timestamp_holds(b"head", token)
    assert not await stamping.timestamp_holds(b"other head", token)
    assert not await stamping.timestamp_holds(b"head", token[:-3] + b"abc")
    assert not await stamping.timestamp_holds(b"head", b"")


def test_keys_are_made_once_and_readable_by_nobody_else(tmp_path):
    keys = SealKeys(tmp_path / "seals")
    now = datetime.now(UTC)
    first = keys.of(ORG, "Acme", now)
    assert keys.of(ORG, "Acme", now).fingerprint == first.fingerprint
    assert keys.of(OTHER, "Acme", now).fingerprint != first.fingerprint
    assert oct((tmp_path / "seals").stat().st_mode & 0o777) == "0o700"
    assert {oct(file.stat().st_mode & 0o777) for file in (tmp_path / "seals").iterdir()} == {"0o600"}
    assert "PRIVATE" not in repr(first)


@pytest.mark.parametrize("name", ["A" * 200, "北京餐饮设备服务有限公司" * 10, "Ünïcode & Sons, Ltd.", "x"])
def test_every_name_an_organisation_may_have_makes_a_certificate(tmp_path, name):
    key = SealKeys(tmp_path).of(ORG, name, datetime.now(UTC))
    [given] = key.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert name.startswith(str(given.value))


async def test_a_rotated_key_is_kept_aside_and_what_it_sealed_stays_good(tmp_path, pdf):
    sealer = Sealer(SealKeys(tmp_path), SystemClock())
    old = await sealer.seal(ORG, "Acme", pdf)
    assert sealer.keys.rotate(ORG, sealer.wall.now())
    new = await sealer.seal(ORG, "Acme", pdf)
    assert old.fingerprint != new.fingerprint
    for sealed in (old, new):
        assert (await sealer.check(sealed.content, [old.pem, new.pem])).valid
    assert len(list(tmp_path.iterdir())) == 2
    assert not SealKeys(tmp_path / "none").rotate(ORG, sealer.wall.now())


async def test_a_key_whose_certificate_ended_is_followed_by_a_new_one(tmp_path, pdf):
    sealer = Sealer(SealKeys(tmp_path), SystemClock())
    old = sealer.keys.of(ORG, "Acme", datetime.now(UTC) - timedelta(days=11 * 365))
    sealed = await sealer.seal(ORG, "Acme", pdf)
    assert sealed.fingerprint != old.fingerprint
    assert (await sealer.check(sealed.content, [sealed.pem])).valid


async def test_a_seal_made_with_a_certificate_that_had_ended_is_worth_nothing(tmp_path, pdf):
    issuer, issuer_key = _issued("Little CA", None, None)
    given, key = _issued("Acme Service", issuer, issuer_key, ended=timedelta(days=1))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / f"{ORG}.pem").write_bytes(private + given.public_bytes(Encoding.PEM))
    sealer = Sealer(SealKeys(tmp_path), SystemClock())
    late = await sealer.seal(ORG, "Acme", pdf)
    assert (await sealer.check(late.content, [late.pem])).why == "its certificate was not valid when it was sealed"


async def test_a_key_given_by_file_with_its_issuers_seals_too(tmp_path, pdf):
    """Our own little authority issues an RSA certificate, as a company's would."""
    issuer, issuer_key = _issued("Little CA", None, None)
    mine, my_key = _issued("Acme Service", issuer, issuer_key)
    private = my_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in (mine, issuer))
    (tmp_path / f"{ORG}.pem").write_bytes(private + chain)
    sealer = Sealer(SealKeys(tmp_path), SystemClock())
    sealed = await sealer.seal(ORG, "Acme Service", pdf)
    seal = await sealer.check(sealed.content, [sealed.pem])
    assert (seal.valid, seal.sealed_by) == (True, "CN=Acme Service")
    key = await sealer.key(ORG, "")
    assert is_signed_by(mine, b"head", key.sign(b"head"))
    assert not is_signed_by(mine, b"other", key.sign(b"head"))


def _issued(name, issuer, issuer_key, ended=timedelta(days=-30)):
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now - ended)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(issuer_key or key, SHA256())
    )
    return certificate, key
