"""The client's side of TLS."""

import ssl
from pathlib import Path

from statefun_runtime.errors import ModuleError
from statefun_runtime.module.transport_spec import TransportSpec


def client_context(transport: TransportSpec) -> ssl.SSLContext:
    """A context that checks the server's certificate and name. Raises ModuleError that names the file at fault."""
    try:
        context = ssl.create_default_context(cafile=transport.trust_cacerts)
    except OSError as error:
        raise ModuleError(f"trust_cacerts {transport.trust_cacerts}: cannot be loaded: {error}") from None
    context.set_alpn_protocols(["http/1.1"])
    if transport.client_cert is not None:
        # Without a password OpenSSL would ask for one at the terminal; an empty one fails instead.
        password = "" if transport.client_key_password is None else _password(transport.client_key_password)
        try:
            context.load_cert_chain(transport.client_cert, transport.client_key, password=password)
        except OSError as error:
            raise ModuleError(
                f"client_cert {transport.client_cert} with client_key {transport.client_key}: cannot be loaded: {error}"
            ) from None
    return context


def _password(file: Path) -> str:
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ModuleError(f"client_key_password {file}: cannot be read: {error}") from None
