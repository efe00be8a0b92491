"""Clients of a running application over HTTP: send messages, call functions, follow subscriptions.

`StatefunClient` blocks, `AsyncStatefunClient` is for asyncio; both take and give the same. They need nothing but this
package and the standard library.
"""

from statefun.client.async_client import AsyncStatefunClient
from statefun.client.errors import (
    CallFailedError,
    CallTimeoutError,
    ClientError,
    CursorGoneError,
    RefusedError,
    ReplyTypeError,
    UnavailableError,
)
from statefun.client.sync_client import StatefunClient
from statefun.client.values import Outgoing, Record, Reply

__all__ = [
    "AsyncStatefunClient",
    "CallFailedError",
    "CallTimeoutError",
    "ClientError",
    "CursorGoneError",
    "Outgoing",
    "Record",
    "RefusedError",
    "Reply",
    "ReplyTypeError",
    "StatefunClient",
    "UnavailableError",
]
