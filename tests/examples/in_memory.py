"""Runs functions through their handler, as a runtime would, with everything in memory and no time passing."""

from collections import deque
from itertools import islice

from statefun import RequestReplyHandler, StatefulFunctions
from statefun.protocol.request_reply_pb2 import Address, FromFunction, ToFunction, TypedValue

Key = tuple[str, str, str]
BATCH = 3


class InMemory:
    """States, delayed messages and egress records of an application; `run` works until nothing is pending.

    Addresses take turns, each with a batch of up to `BATCH` messages, so that senders overtake each other.
    """

    def __init__(self, functions: StatefulFunctions) -> None:
        self.states: dict[Key, dict[str, TypedValue]] = {}
        self.delayed: list[tuple[Key, FromFunction.DelayedInvocation]] = []
        self.egress: list[FromFunction.EgressMessage] = []
        self._handler = RequestReplyHandler(functions)
        self._mailboxes: dict[Key, deque[ToFunction.Invocation]] = {}
        self._ready: deque[Key] = deque()

    def deliver(self, target: Address, argument: TypedValue, caller: Address | None = None) -> None:
        key = (target.namespace, target.type, target.id)
        mailbox = self._mailboxes.setdefault(key, deque())
        if not mailbox:
            self._ready.append(key)
        mailbox.append(ToFunction.Invocation(caller=caller, argument=argument))

    def run(self) -> None:
        while self._ready:
            key = self._ready.popleft()
            mailbox = self._mailboxes[key]
            batch = list(islice(mailbox, BATCH))
            self._apply(key, self._call(key, batch))
            for _ in batch:
                mailbox.popleft()
            if mailbox:
                self._ready.append(key)

    def fire(self) -> None:
        """Deliver every delayed message that has no cancellation token, the last one first."""
        due = [(key, message) for key, message in self.delayed if not message.cancellation_token]
        self.delayed = [(key, message) for key, message in self.delayed if message.cancellation_token]
        for key, message in reversed(due):
            self.deliver(message.target, message.argument, address(key))

    def _call(self, key: Key, batch: list[ToFunction.Invocation]) -> FromFunction.InvocationResponse:
        states = self.states.setdefault(key, {})
        while True:
            state = [
                ToFunction.PersistedValue(state_name=name, state_value=value if value.has_value else None)
                for name, value in states.items()
            ]
            request = ToFunction.InvocationBatchRequest(target=address(key), state=state, invocations=batch)
            reply = FromFunction.FromString(
                self._handler.handle_sync(ToFunction(invocation=request).SerializeToString())
            )
            if not reply.HasField("incomplete_invocation_context"):
                return reply.invocation_result
            for spec in reply.incomplete_invocation_context.missing_values:
                states[spec.state_name] = TypedValue()

    def _apply(self, key: Key, reply: FromFunction.InvocationResponse) -> None:
        for message in reply.outgoing_messages:
            self.deliver(message.target, message.argument, address(key))
        for delayed in reply.delayed_invocations:
            if delayed.is_cancellation_request:
                self._cancel(key, delayed.cancellation_token)
            else:
                self.delayed.append((key, delayed))
        self.egress += reply.outgoing_egresses
        for mutation in reply.state_mutations:
            is_set = mutation.mutation_type == FromFunction.PersistedValueMutation.MODIFY
            self.states[key][mutation.state_name] = mutation.state_value if is_set else TypedValue()

    def _cancel(self, key: Key, token: str) -> None:
        (index,) = (
            index
            for index, (owner, message) in enumerate(self.delayed)
            if (owner, message.cancellation_token) == (key, token)
        )
        del self.delayed[index]


def address(key: Key) -> Address:
    namespace, name, identifier = key
    return Address(namespace=namespace, type=name, id=identifier)
