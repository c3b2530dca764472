"""The private mail host's certificate: made once, signed by itself, for loopback only.

In: a folder. Touched: `key.pem` (0600) and `certificate.pem` in it, when one of them is missing. Raises OSError.
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.setup.templates import write

LIFETIME = timedelta(days=3650)


def make_certificate(folder: Path, now: datetime | None = None) -> None:
    """Make key and certificate unless both are there."""
    if (folder / "key.pem").exists() and (folder / "certificate.pem").exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate = _sign(key, now or datetime.now(UTC))
    write(folder / "key.pem", pem.decode("ascii"), 0o600)
    write(folder / "certificate.pem", certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"))


def _sign(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
