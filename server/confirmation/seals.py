"""The keys organisations seal with: one file each, made at first need, readable by nobody else.

A file `<organisation id>.pem` holds the private key (PKCS #8) and its certificate, followed by those of its issuers if
there are any. Whoever has a certificate from an authority puts such a file there; otherwise one is made: P-256 and a
certificate the organisation gives itself. Keys are never logged and never leave the file. Certificates are public and
kept in the database, so that what an old key sealed can be checked for ever.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

_YEARS = timedelta(days=10 * 365)
_LONGEST_NAME = 64  # X.520's bound on names in certificates, counted in bytes
_ROLE = " report seal"


@dataclass(frozen=True)
class SealKey:
    """A private key and its certificates, its own first."""

    key: PrivateKeyTypes
    certificates: tuple[x509.Certificate, ...]

    @property
    def certificate(self) -> x509.Certificate:
        return self.certificates[0]

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.certificate)

    @property
    def is_our_own(self) -> bool:
        return self.certificate.issuer == self.certificate.subject

    def ends_before(self, now: datetime) -> bool:
        return self.certificate.not_valid_after_utc < now

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def sign(self, said: bytes) -> bytes:
        """Sign with SHA-256: DER for elliptic curves, PKCS #1 for RSA."""
        match self.key:
            case ec.EllipticCurvePrivateKey():
                return self.key.sign(said, ec.ECDSA(SHA256()))
            case rsa.RSAPrivateKey():
                return self.key.sign(said, padding.PKCS1v15(), SHA256())
        message = f"a seal key is of an elliptic curve or RSA, not {type(self.key).__name__}"
        raise TypeError(message)

    def __repr__(self) -> str:
        return f"SealKey({self.fingerprint})"


def fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(SHA256()).hex()


def is_signed_by(certificate: x509.Certificate, said: bytes, signature: bytes) -> bool:
    """Whether `SealKey.sign` made this signature with the certificate's key."""
    key = certificate.public_key()
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signature, said, ec.ECDSA(SHA256()))
            case rsa.RSAPublicKey():
                key.verify(signature, said, padding.PKCS1v15(), SHA256())
            case _:
                return False
    except InvalidSignature:
        return False
    return True


class SealKeys:
    """The folder of keys."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, org: UUID, name: str, now: datetime) -> SealKey:
        """Answer the organisation's key, making it if there is none. Two processes at once end up with the same.

        A key we made ourselves is followed by a new one when its certificate ends.
        """
        path = self._path(org)
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_once(path, _new_key(name, now))
        found = _read(path.read_bytes())
        if found.ends_before(now) and found.is_our_own:
            self.rotate(org, now)
            return self.of(org, name, now)
        return found

    def rotate(self, org: UUID, now: datetime) -> bool:
        """Put the key in use aside; the next seal makes a new one. False when there was none."""
        path = self._path(org)
        try:
            path.rename(path.with_suffix(f".retired-{now:%Y%m%dT%H%M%S}.pem"))
        except FileNotFoundError:
            return False
        return True

    def _path(self, org: UUID) -> Path:
        return self._folder / f"{org}.pem"


def _write_once(path: Path, content: bytes) -> None:
    # Temporary files are created with mode 0600.
    with NamedTemporaryFile("wb", dir=path.parent, delete_on_close=False) as draft:
        draft.write(content)
        draft.flush()
        os.fsync(draft.fileno())
        draft.close()
        with suppress(FileExistsError):  # the first one's key stands, whole
            os.link(draft.name, path)


def _new_key(name: str, now: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _shortened(name, _LONGEST_NAME)),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{_shortened(name, _LONGEST_NAME - len(_ROLE))}{_ROLE}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _YEARS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_FOR_SEALING, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def _shortened(name: str, most: int) -> str:
    return name.encode()[:most].decode(errors="ignore")


_FOR_SEALING = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def _read(pem: bytes) -> SealKey:
    return SealKey(load_pem_private_key(pem, password=None), tuple(x509.load_pem_x509_certificates(pem)))
