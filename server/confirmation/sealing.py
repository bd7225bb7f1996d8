"""Sealing a finished PDF with the organisation's key, and checking such a seal: PAdES, by pyHanko.

The seal certifies the file and allows no change whatever afterwards. With a time-stamp authority (RFC 3161) the level
is B-T, else B-B. A phone without a signal can't ask an authority, so the stamp says when the server had the report,
never when the customer signed; the report states both times.
"""

import asyncio
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from server.confirmation.domain import SealCheck, SealLevel
from server.confirmation.seals import SealKey, SealKeys, fingerprint
from server.core.clock import Clock
from server.core.logging import logger

if TYPE_CHECKING:
    from pyhanko.sign.timestamps import TimeStamper
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
    from pyhanko.sign.validation.status import PdfSignatureStatus

log = logger(__name__)

_FIELD = "Seal"


@dataclass(frozen=True)
class Authority:
    """Whom we ask for time-stamps (RFC 3161, over HTTP or any other of pyHanko's), and how we know its answers."""

    stamper: "TimeStamper"
    roots: tuple[x509.Certificate, ...]

    @staticmethod
    def over_http(url: str, certificates: bytes) -> "Authority":
        """Name an authority by its address and its certificates (PEM). Raises ValueError for what is no certificate."""
        from pyhanko.sign.timestamps.aiohttp_client import HTTPTimeStamper

        return Authority(HTTPTimeStamper(url), tuple(x509.load_pem_x509_certificates(certificates)))


@dataclass(frozen=True)
class Sealed:
    content: bytes
    level: SealLevel
    fingerprint: str
    pem: str


@dataclass(frozen=True)
class Sealer:
    """Seals with the keys of `keys` and checks seals. `wall` is real time: certificates know no other."""

    keys: SealKeys
    wall: Clock
    authority: Authority | None = field(default=None)

    @property
    def level(self) -> SealLevel:
        return SealLevel.TIMESTAMPED if self.authority else SealLevel.BASIC

    async def key(self, org: UUID, name: str) -> SealKey:
        return await asyncio.to_thread(self.keys.of, org, name, self.wall.now())

    async def seal(self, org: UUID, name: str, pdf: bytes) -> Sealed:
        """Seal a finished PDF. An authority that does not answer costs the stamp, not the report."""
        key = await self.key(org, name)
        if self.authority is not None:
            try:
                stamped = await _sign(pdf, key, name, self.authority.stamper)
            except Exception as away:  # noqa: BLE001 - whatever a foreign service does must not cost the report
                log.warning("time-stamp authority failed; sealed without", error=type(away).__name__)
            else:
                return Sealed(stamped, SealLevel.TIMESTAMPED, key.fingerprint, key.pem)
        plain = await _sign(pdf, key, name, None)
        return Sealed(plain, SealLevel.BASIC, key.fingerprint, key.pem)

    async def timestamp(self, said: bytes) -> bytes | None:
        """Answer an authority's token (DER) over the SHA-256 of what is said; None without one, or when it fails."""
        if self.authority is None:
            return None
        try:
            token = await self.authority.stamper.async_timestamp(sha256(said).digest(), "sha256")
        except Exception as away:  # noqa: BLE001 - as above
            log.warning("time-stamp authority failed", error=type(away).__name__)
            return None
        return bytes(token.dump())

    async def timestamp_holds(self, said: bytes, token: bytes) -> bool:
        """Whether an authority we know stamped just this. Raises ValueError when none is configured to compare with."""
        if self.authority is None:
            message = "to check time-stamps, name the authority's certificates in CALLOUT_TSA_CERTIFICATES"
            raise ValueError(message)
        return await check_timestamp(said, token, self.authority.roots)

    async def check(self, pdf: bytes, known: Sequence[str]) -> SealCheck:
        """Judge a print by its own bytes. known: PEMs of the certificates its organisation ever sealed with."""
        roots = self.authority.roots if self.authority else ()
        return await asyncio.to_thread(lambda: asyncio.run(check_seal(pdf, known, roots)))


async def _sign(pdf: bytes, key: SealKey, name: str, stamper: "TimeStamper | None") -> bytes:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter

    how = signers.PdfSignatureMetadata(
        field_name=_FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        name=name,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    signer: Any = signers.PdfSigner(how, signer=_signer(key), timestamper=stamper)
    out: io.BytesIO = await signer.async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)))
    return out.getvalue()


def _signer(key: SealKey) -> Any:
    from asn1crypto.keys import PrivateKeyInfo
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    issuers: Any = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    issuers.register_multiple([_as_asn1(one) for one in key.certificates[1:]])
    private = key.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return SimpleSigner(_as_asn1(key.certificate), PrivateKeyInfo.load(private), issuers)


def _as_asn1(certificate: x509.Certificate) -> Any:
    from asn1crypto.x509 import Certificate

    return Certificate.load(certificate.public_bytes(Encoding.DER))


async def check_seal(pdf: bytes, known: Sequence[str], authorities: Sequence[x509.Certificate]) -> SealCheck:
    """Judge a print by its own bytes; never raises, whatever the bytes are."""
    from pyhanko.pdf_utils.reader import PdfFileReader

    if b"/ByteRange" not in pdf:
        return unsealed("it was never sealed")
    try:
        found = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
        if len(found) != 1:
            return unsealed(f"the file has {len(found)} signatures and should have one")
        return await _judge(pdf, found[0], [x509.load_pem_x509_certificate(pem.encode()) for pem in known], authorities)
    except Exception as unreadable:  # noqa: BLE001 - a damaged file breaks parsers in ways nobody can list
        return unsealed(f"the file is damaged ({type(unreadable).__name__})")


async def check_timestamp(said: bytes, token: bytes, authorities: Sequence[x509.Certificate]) -> bool:
    from asn1crypto.cms import ContentInfo
    from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
    from pyhanko_certvalidator import ValidationContext

    try:
        found = await validate_tst_signed_data(
            ContentInfo.load(token)["content"],
            ValidationContext(trust_roots=[_as_asn1(one) for one in authorities], allow_fetching=False),
            lambda algorithm: hashlib.new(algorithm, said).digest(),
        )
    except Exception:  # noqa: BLE001 - a damaged token breaks parsers in ways nobody can list
        return False
    return bool(found["intact"] and found["valid"] and found["validation_path"])


async def _judge(
    pdf: bytes,
    seal: "EmbeddedPdfSignature",
    known: Sequence[x509.Certificate],
    authorities: Sequence[x509.Certificate],
) -> SealCheck:
    from pyhanko.sign.validation import async_validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    signer = x509.load_der_x509_certificate(seal.signer_cert.dump())
    if fingerprint(signer) not in {fingerprint(one) for one in known}:
        return unsealed("it was sealed with a certificate this organisation never had")
    # A certificate is good for ever for what it sealed while it was valid.
    at = seal.self_reported_timestamp
    if at is None or not signer.not_valid_before_utc <= at <= signer.not_valid_after_utc:
        return unsealed("its certificate was not valid when it was sealed")
    status = await async_validate_pdf_signature(
        seal,
        ValidationContext(trust_roots=[_as_asn1(signer)], allow_fetching=False, moment=at),
        ts_validation_context=ValidationContext(
            trust_roots=[_as_asn1(one) for one in authorities], allow_fetching=False
        ),
    )
    stamp = status.timestamp_validity
    return SealCheck(
        valid=(why := _wrong(pdf, seal, status)) is None,
        why=why,
        level=SealLevel.TIMESTAMPED if stamp else SealLevel.BASIC,
        sealed_by=signer.subject.rfc4514_string(),
        fingerprint=fingerprint(signer),
        sealed_at=at,
        timestamped_at=stamp.timestamp if stamp else None,
    )


def _wrong(pdf: bytes, seal: "EmbeddedPdfSignature", status: "PdfSignatureStatus") -> str | None:
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    if not (status.intact and status.valid):
        return "the content is not what was sealed"
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE or not _fills_its_gap(pdf, seal):
        return "something was added after it was sealed"
    if not status.trusted:
        return "the certificate does not hold"
    if status.timestamp_validity is not None and not status.bottom_line:
        return "the time-stamp is not by an authority we know"
    return None if status.bottom_line else "the file was changed after it was sealed"


def _fills_its_gap(pdf: bytes, seal: "EmbeddedPdfSignature") -> bool:
    """Whether the seal leaves out nothing but itself: no other spelling, nothing hidden in the room kept for it."""
    from asn1crypto.cms import ContentInfo

    start, length, after, rest = (int(number) for number in seal.byte_range)
    gap = pdf[length:after]
    filling = bytes.fromhex(gap[1:-1].decode("ascii"))
    container = ContentInfo.load(filling)
    der: bytes = container.dump()
    as_written = b"<" + filling.hex().upper().encode() + b">"
    return (
        (start, after + rest) == (0, len(pdf))
        and gap == as_written
        and filling == der.ljust(len(filling), b"\0")
        and _says_nothing_unsigned(container)
    )


def _says_nothing_unsigned(container: Any) -> bool:
    """Whether the few fields of a CMS that no signature covers read as they always do, in plain DER."""
    signed = container["content"]
    [signer] = signed["signer_infos"]
    versions = {signed["version"].native, signer["version"].native}
    digests = [one["algorithm"].native for one in signed["digest_algorithms"]]
    plain: bytes = container.copy().dump(force=True)
    return versions == {"v1"} and digests == ["sha256"] and plain == container.dump()


def unsealed(why: str) -> SealCheck:
    """Answer for what has no seal one could look at."""
    return SealCheck(
        valid=False,
        why=why,
        level=SealLevel.NONE,
        sealed_by=None,
        fingerprint=None,
        sealed_at=None,
        timestamped_at=None,
    )
