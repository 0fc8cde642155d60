"""A CA of a test's own, a certificate it signed for `localhost`, and a stranger's CA that signed nothing here."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey


class Certificates(NamedTuple):
    """Paths of PEM files. The server's certificate names `localhost` alone: by 127.0.0.1 it is the wrong host."""

    ca: Path
    ca_key: Path
    server_crt: Path
    server_key: Path
    keystore_pem: Path  # key, certificate and CA in one file, as Kafka and stunnel like it
    stranger: Path


def make(folder: Path) -> Certificates:
    """Write them all into this folder; valid for a day."""
    ca_key, server_key = _key(), _key()
    ca = _ca("CA of this test", ca_key)
    server = _server(ca, ca_key, server_key)
    files = Certificates(*(folder / f"{name.replace('_', '.')}" for name in Certificates._fields))
    files.ca.write_bytes(_pem(ca))
    files.ca_key.write_bytes(_private(ca_key))
    files.server_crt.write_bytes(_pem(server))
    files.server_key.write_bytes(_private(server_key))
    files.keystore_pem.write_bytes(_private(server_key) + _pem(server) + _pem(ca))
    files.stranger.write_bytes(_pem(_ca("CA of a stranger", _key())))
    return files


def _ca(name: str, key: Key) -> x509.Certificate:
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)  # signs certificates and CRLs
    builder = _builder(name, name, key).add_extension(x509.BasicConstraints(True, None), critical=True)
    return builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())


def _server(ca: x509.Certificate, ca_key: Key, key: Key) -> x509.Certificate:
    issuer = ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    builder = _builder("localhost", str(issuer), key)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return builder.add_extension(signer, critical=False).sign(ca_key, hashes.SHA256())


def _builder(subject: str, issuer: str, key: Key) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
