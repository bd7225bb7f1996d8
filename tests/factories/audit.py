"""A chain with something of every kind in it, and people with a superuser's hands."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from server.audit.checking import verify_chain
from server.audit.domain import Finding
from server.audit.sealing import seal_everything
from server.confirmation.sealing import Authority


def an_authority() -> Authority:
    """A time-stamp authority of our own: an RSA key, a certificate for stamping and nothing else."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test time-stamp authority")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    stamper: Any = DummyTimeStamper(
        asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)), keys.PrivateKeyInfo.load(private)
    )
    return Authority(stamper, (certificate,))


def as_superuser(url: str, *statements: str) -> None:
    """Run statements past every right and every trigger, as somebody with the machine does."""
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


async def sealed(database, store, company, **how: Any) -> Finding:
    """Seal what waits and verify."""
    await seal_everything(database)
    return await verify_chain(database, store, company.id, **how)


def blob_file(folder: Path, sha256: str) -> Path:
    [found] = folder.rglob(sha256)
    return found


def kinds(finding: Finding) -> Sequence[tuple[str, str]]:
    return [(fault.kind, fault.what) for fault in finding.faults]
