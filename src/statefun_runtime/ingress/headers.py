"""Headers of a request that travel with its messages, as the metadata of their values."""

from collections.abc import Mapping

from statefun.protocol.request_reply_pb2 import TypedValue

_OF_THE_CONNECTION = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_CREDENTIALS = frozenset(("authorization", "cookie", "proxy-authorization"))
"""They would become durable, readable in dead letters and exports, and go out to functions."""


def encode_headers(headers: Mapping[str, str]) -> bytes:
    """What is to be put behind an encoded `TypedValue` to give it these headers, by names in lower case.

    Those that concern one connection only, and credentials, are left out.
    """
    typed = TypedValue()
    for name, value in headers.items():
        key = name.lower()
        if key not in _OF_THE_CONNECTION and key not in _CREDENTIALS:
            # A header is bytes; the server hands in those that are no UTF-8 as lone surrogates.
            typed.metadata.add(key=key, value=value.encode(errors="surrogateescape"), has_value=True)
    return typed.SerializeToString()
