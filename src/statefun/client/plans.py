"""The plans of the clients' methods: which requests they make, and what they give back or raise."""

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast
from urllib.parse import quote, unquote, urlencode

from statefun.address import Address
from statefun.client.errors import CallFailedError, CallTimeoutError, ClientError, CursorGoneError, RefusedError
from statefun.client.exchange import MARGIN, Answer, Patience, Plan, Request, persist
from statefun.client.values import Outgoing, Record, Reply, TargetLike, as_address
from statefun.typename import TypeNameLike, typename_text

KEY_HEADER = "Idempotency-Key"
MAX_BATCH = 10_000
"""Most messages that a runtime takes in one batch."""
_POLL_SECONDS = 30.0


class Limits(NamedTuple):
    """Seconds: an answer may take `timeout`; failed attempts are repeated for `retry_for`."""

    timeout: float
    retry_for: float


def send(message: Outgoing, key: str | None, limits: Limits) -> Plan[None]:
    """Send a message; returns when it is durable."""
    key = key or new_key()
    path = _path(message.target)
    headers, body = _body(message, key)
    request = Request("PUT", path, headers, body, limits.timeout)
    answer = yield from persist(lambda _: request, Patience(limits.retry_for), key)
    _check_accepted(answer)


def send_many(messages: Iterable[Outgoing], key: str | None, limits: Limits) -> Plan[None]:
    """Send messages as one batch, all of them or none; returns when they are durable."""
    key = key or new_key()
    lines = [message.to_line() for message in messages]
    if not lines:
        return
    if len(lines) > MAX_BATCH:
        raise ValueError(f"{len(lines)} messages are too many for one batch; send at most {MAX_BATCH} at once")
    headers = {"Content-Type": "application/x-ndjson", KEY_HEADER: key}
    request = Request("POST", "/batch", headers, b"".join(lines), limits.timeout)
    answer = yield from persist(lambda _: request, Patience(limits.retry_for), key)
    _check_accepted(answer)


def call(message: Outgoing, key: str | None, timeout: float) -> Plan[Reply]:
    """Send a message and wait `timeout` seconds for the reply, asking again as long when a connection breaks."""
    key = key or new_key()
    path = _path(message.target) + "/call"
    headers, body = _body(message, key)

    def ask(left: float) -> Request:
        seconds = max(left, 0.001)
        return Request("POST", f"{path}?timeout={seconds:.3f}", headers, body, seconds + MARGIN)

    answer = yield from persist(ask, Patience(timeout), key)
    if answer.status == 200:
        return Reply(
            unquote(answer.headers.get("statefun-type", "")), answer.headers.get("content-type", ""), answer.body
        )
    if answer.status == 504:
        raise CallTimeoutError(answer.error, key)
    if answer.status in (500, 503):
        raise CallFailedError(answer.error, answer.status, key)
    raise _refused(answer)


class Page(NamedTuple):
    """Records, and the cursor behind them."""

    records: list[Record]
    cursor: str


def poll(egress: TypeNameLike, after: str, limits: Limits) -> Plan[Page]:
    """The next records of a subscription behind the cursor; there may be none after a while."""
    query = {"wait": f"{_POLL_SECONDS:g}", **({"after": after} if after else {})}
    path = f"/egress/{quote(typename_text(egress))}?{urlencode(query)}"
    request = Request("GET", path, {"Accept": "application/x-ndjson"}, b"", _POLL_SECONDS + limits.timeout)
    answer = yield from persist(lambda _: request, Patience(limits.retry_for), None)
    if answer.status == 410:
        raise CursorGoneError(answer.error, str(_json_object(answer.body).get("oldest", "")))
    if answer.status != 200:
        raise _refused(answer)
    try:
        records = [Record(json.loads(line)) for line in answer.body.splitlines()]
        return Page(records, answer.headers["statefun-cursor"])
    except (KeyError, TypeError, ValueError) as error:
        raise ClientError(f"the answer is no subscription's: {error!r}; check the URL") from error


def new_key() -> str:
    """A key that no other request has."""
    return uuid.uuid4().hex


def _path(target: TargetLike) -> str:
    address: Address = as_address(target)
    return "/" + "/".join(quote(part, safe="") for part in (address.namespace, address.name, address.id))


def _body(message: Outgoing, key: str) -> tuple[dict[str, str], bytes]:
    typename, value = message.encoded()
    if not typename.isascii() or not typename.isprintable() or ";" in typename or typename.lower().endswith("+json"):
        raise ValueError(f"the typename {typename!r} cannot stand in a Content-Type; use send_many")
    return {"Content-Type": f"application/vnd.{typename}", KEY_HEADER: key}, value


def _check_accepted(answer: Answer) -> None:
    if answer.status != 202:
        raise _refused(answer)


def _refused(answer: Answer) -> ClientError:
    return RefusedError(f"status {answer.status}: {answer.error}", answer.status)


def _json_object(body: bytes) -> Mapping[str, object]:
    try:
        decoded: object = json.loads(body)
    except ValueError:
        return {}
    return cast("dict[str, object]", decoded) if isinstance(decoded, dict) else {}
