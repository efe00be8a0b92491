"""Certificates for tests, made with the openssl command."""

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple


class Certificate(NamedTuple):
    """PEM files of a self-signed certificate and its key."""

    cert: Path
    key: Path


def make_certificate(directory: Path, name: str, subject_alternative: str, password: str = "") -> Certificate:
    """A certificate that is valid for `subject_alternative`, for example `IP:127.0.0.1`, and is its own authority."""
    made = Certificate(directory / f"{name}.pem", directory / f"{name}.key")
    encryption = ["-passout", f"pass:{password}"] if password else ["-nodes"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *encryption]
    command += ["-keyout", str(made.key), "-out", str(made.cert), "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName={subject_alternative}"]
    subprocess.run(command, check=True, capture_output=True)
    return made


def server_context(certificate: Certificate, client_authority: Path | None = None) -> ssl.SSLContext:
    """A server's context; with `client_authority` it wants a certificate of its clients."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    if client_authority is not None:
        context.load_verify_locations(client_authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
