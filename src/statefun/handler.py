"""The handler: bytes of a request in, bytes of a reply out."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

from google.protobuf.message import DecodeError

from statefun import asgi
from statefun.effects import ResponseEffects
from statefun.errors import ProtocolError
from statefun.function_spec import StatefulFunctionSpec
from statefun.invocation import Batch, Call, invoke, invoke_in_new_loop, invoke_sync
from statefun.message import make_message
from statefun.protocol.request_reply_pb2 import Address, FromFunction, ToFunction
from statefun.storage import StoredValue
from statefun.value_spec import ExpireMode, ValueSpec

DEFAULT_MAX_REQUEST_BYTES: Final = 32 * 1024 * 1024
"""The same as `payload_max_bytes`, the limit that Flink's asynchronous transport has by default."""

_WIRE_MODE: Final[Mapping[ExpireMode, FromFunction.ExpirationSpec.ExpireMode]] = MappingProxyType(
    {
        ExpireMode.NONE: FromFunction.ExpirationSpec.NONE,
        ExpireMode.AFTER_WRITE: FromFunction.ExpirationSpec.AFTER_WRITE,
        ExpireMode.AFTER_CALL: FromFunction.ExpirationSpec.AFTER_INVOKE,
    }
)


class FunctionRegistry(Protocol):
    """What a handler asks of `StatefulFunctions`."""

    def find(self, namespace: str, name: str) -> StatefulFunctionSpec | None:
        """The function of this type, or None."""
        ...

    def for_typename(self, typename: str) -> StatefulFunctionSpec:
        """The function of this type. Raises UnknownFunctionError."""
        ...


class RequestReplyHandler:
    """Answers requests of the protocol with the functions of an application. Has no state and does no I/O.

    It is also an ASGI application (`uvicorn module:handler`): POST with `application/octet-stream`.
    """

    __slots__ = ("_functions", "_max_request_bytes")

    def __init__(self, functions: FunctionRegistry, *, max_request_bytes: int = DEFAULT_MAX_REQUEST_BYTES) -> None:
        """Serve `functions`.

        Args:
            functions: The registry; what is added to it later is served too.
            max_request_bytes: The size from which a request over HTTP is answered with 413.
        """
        if not functions:
            raise ValueError("the functions are missing")
        self._functions = functions
        self._max_request_bytes = max_request_bytes

    async def handle_async(self, request_bytes: bytes) -> bytes:
        """Run the batch of a request (`ToFunction`) and return the reply (`FromFunction`); no effects are no bytes.

        Raises:
            ProtocolError: The bytes are no request.
            UnknownFunctionError: The function is not registered.
            Exception: What the function raised, as it is. Nothing of the batch counts then.
        """
        opened = self._open(request_bytes)
        if isinstance(opened, bytes):
            return opened
        call, batch, effects = opened
        if call.spec.is_async:
            await invoke(call, batch)
        else:
            invoke_sync(call, batch)
        return effects.finish(call.storage)

    def handle_sync(self, request_bytes: bytes) -> bytes:
        """The same for callers without an event loop; an async function gets a loop of its own for the call."""
        opened = self._open(request_bytes)
        if isinstance(opened, bytes):
            return opened
        call, batch, effects = opened
        if call.spec.is_async:
            invoke_in_new_loop(call, batch)
        else:
            invoke_sync(call, batch)
        return effects.finish(call.storage)

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """The ASGI application."""
        await asgi.serve(self.handle_async, self._max_request_bytes, scope, receive, send)

    def _open(self, request_bytes: bytes) -> tuple[Call, Batch, ResponseEffects] | bytes:
        """Make a request ready to run; bytes are the reply to one that lacks states, of which nothing runs."""
        try:
            request = ToFunction.FromString(request_bytes).invocation
        except (DecodeError, TypeError) as error:
            raise ProtocolError(f"a {type(request_bytes).__name__} that is no ToFunction message: {error}") from error
        target = request.target
        id_ = target.id
        spec = self._functions.find(target.namespace, target.type) or self._not_found(target)
        if not id_:
            raise ProtocolError(f"the request to {spec.typename} has a target without an id")
        values: dict[str, StoredValue] = {}
        # A slice is a list: iterating over protobuf's own sequence costs twice as much.
        for state in request.state[:]:
            values[state.state_name] = state.state_value
        schema = spec.schema
        for name in schema.names:
            if name not in values:
                return _incomplete(schema.missing(values))
        effects = ResponseEffects()
        typename = spec.typename
        batch = [(each, make_message(typename, id_, each.argument)) for each in request.invocations[:]]
        return Call(spec, id_, schema.open(values), effects), batch, effects

    def _not_found(self, target: Address) -> StatefulFunctionSpec:
        if not target.namespace and not target.type and not target.id:
            raise ProtocolError("the request holds no invocation, or one without a target")
        # Raises the error that says what there is.
        return self._functions.for_typename(f"{target.namespace}/{target.type}")


def _incomplete(missing: Sequence[ValueSpec[Any]]) -> bytes:
    reply = FromFunction()
    values = reply.incomplete_invocation_context.missing_values
    for spec in missing:
        value = values.add()
        value.state_name = spec.name
        value.type_typename = spec.type.typename
        value.expiration_spec.mode = _WIRE_MODE[spec.expiration.mode]
        value.expiration_spec.expire_after_millis = spec.duration
    return reply.SerializeToString()
