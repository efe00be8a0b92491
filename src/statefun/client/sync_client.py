"""The client that blocks."""

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, TypeVar

from statefun.client import plans
from statefun.client.exchange import Pause, Plan
from statefun.client.location import Location
from statefun.client.sync_connection import SyncConnections
from statefun.client.values import Outgoing, Record, Reply, TargetLike
from statefun.typename import TypeNameLike
from statefun.types import Type

T = TypeVar("T")


class StatefunClient:
    """Sends to and reads from a running application. Safe to share between threads.

    Every message gets an idempotency key, so that it is safe to try again: what is sent once arrives once, though
    connections break and the runtime is killed in between. `key` may be given by the caller, who can then ask again
    after an error, or after a crash of his own, and gets the answer that was made.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 30.0,
        retry_for: float = 30.0,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Make a client; it connects when it is used.

        Args:
            url: Of the HTTP ingress, or for `subscribe` that of the egress.
            timeout: Seconds that an answer may take; for `call` the default of its own `timeout`.
            retry_for: Seconds during which failed attempts are repeated; 0 makes one attempt.
            headers: Sent with every request, such as the credentials for a proxy.
            tls: For https, instead of the system's certificates.

        Raises:
            ValueError: `url` is none.
        """
        self._connections = SyncConnections(Location.parse(url, headers, tls))
        self._limits = plans.Limits(timeout, retry_for)

    def send(self, target: TargetLike, value: T, value_type: Type[T] | None = None, *, key: str | None = None) -> None:
        """Send a message; returns when it is durable.

        Args:
            target: An address, or its text `namespace/type/id`.
            value: The value.
            value_type: Its type; without one, text, bool and float (64 bits) are understood.
            key: Names the message: a second one with the same key and target is not sent.

        Raises:
            ValueError: The target, the value or its type cannot be sent.
            RefusedError: The runtime refuses it; 422 if the key was used for another message.
            UnavailableError: It was not taken, or that is not known, as long as was tried.
        """
        self._run(plans.send(Outgoing(target, value, value_type), key, self._limits))

    def send_many(self, messages: Iterable[Outgoing], *, key: str | None = None) -> None:
        """Send messages, all of them or none, at most 10,000; returns when they are durable. Raises as `send`."""
        self._run(plans.send_many(messages, key, self._limits))

    def call(
        self,
        target: TargetLike,
        value: Any,
        value_type: Type[Any] | None = None,
        *,
        timeout: float | None = None,
        key: str | None = None,
    ) -> Reply:
        """Send a message, and return what a function sends back to its caller; `read_as` gives its value.

        Args:
            target: As for `send`; so are `value`, `value_type` and `key`.
            value: The value.
            value_type: Its type.
            timeout: Seconds to wait for the reply, which attempts after a broken connection share.
            key: A call with the key of an earlier one gets its reply.

        Raises:
            CallTimeoutError: There is no reply yet; its `key` asks for it again.
            CallFailedError: There will be none: the address is parked, or the message a dead letter.
            ValueError, RefusedError, UnavailableError: As of `send`.
        """
        seconds = self._limits.timeout if timeout is None else timeout
        return self._run(plans.call(Outgoing(target, value, value_type), key, seconds))

    def subscribe(self, egress: TypeNameLike, *, after: str = "") -> Iterator[Record]:
        """The records of a subscription egress, for ever: it waits for those to come.

        Whoever keeps the `cursor` of a record together with what he does with it misses and repeats nothing.

        Args:
            egress: The id of the egress. The URL of the client is that of the egress.
            after: The cursor to go on behind; "" begins with the oldest record kept, `latest` with those to come.

        Raises:
            CursorGoneError: Records behind the cursor are gone; its `oldest` is where to go on.
            RefusedError: There is no such egress, or `after` is no cursor.
            UnavailableError: The runtime could not be reached as long as was tried.
        """
        while True:
            page = self._run(plans.poll(egress, after, self._limits))
            yield from page.records
            after = page.cursor

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _run(self, plan: Plan[T]) -> T:
        try:
            step = next(plan)
            while True:
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    step = next(plan)
                else:
                    step = plan.send(self._connections.exchange(step))
        except StopIteration as end:
            result: T = end.value
            return result
