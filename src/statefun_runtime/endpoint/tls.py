"""The client's side of TLS."""

import ssl
from pathlib import Path

from statefun_runtime.endpoint.target import ClientTls
from statefun_runtime.errors import ModuleError


def client_context(tls: ClientTls) -> ssl.SSLContext:
    """A context that checks the server's certificate and name. Raises ModuleError that names the file at fault."""
    if (tls.client_cert is None) != (tls.client_key is None):
        raise ModuleError("client_cert and client_key are given together or not at all")
    try:
        context = ssl.create_default_context(cafile=tls.trust_cacerts)
    except OSError as error:
        raise ModuleError(f"trust_cacerts {tls.trust_cacerts}: cannot be loaded: {error}") from None
    context.set_alpn_protocols(["http/1.1"])
    if tls.client_cert is not None:
        # Without a password OpenSSL would ask for one at the terminal; an empty one fails instead.
        password = "" if tls.client_key_password is None else _password(tls.client_key_password)
        try:
            context.load_cert_chain(tls.client_cert, tls.client_key, password=password)
        except OSError as error:
            raise ModuleError(
                f"client_cert {tls.client_cert} with client_key {tls.client_key}: cannot be loaded: {error}"
            ) from None
    return context


def _password(file: Path) -> str:
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ModuleError(f"client_key_password {file}: cannot be read: {error}") from None
