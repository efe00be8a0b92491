"""What a request's address does with its messages. Pure: a record and a message in, a record and events out.

A request with a key comes as an `Ask`: the first one makes the record and is sent on with this address as its caller,
a later one only waits for what becomes of the first. What functions send to the address is the reply. A request
without a key has no record: its message goes straight to the target, and only who waits right now gets the reply.
"""

from dataclasses import replace
from typing import NamedTuple, TypeAlias

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.answer import DEAD_LETTER_NOTE, Answer, AnswerKind
from statefun_runtime.interfaces import Message, Payload, Send
from statefun_runtime.requests.ask import ASK, Ask
from statefun_runtime.requests.record import Record


class Admitted(NamedTuple):
    """The waiter's request is done or under way; `answer` is what is known by now, None if it has to wait."""

    waiter: str
    answer: Answer | None


class Told(NamedTuple):
    """All who were admitted are told this. If it is not `kept`, nobody else will ever be."""

    answer: Answer
    kept: bool


class Unused(NamedTuple):
    """A reply that nobody gets, since there was one before."""


Event: TypeAlias = Admitted | Told | Unused


class Step(NamedTuple):
    """What one message does; the sends of all steps are applied in order."""

    record: Record | None
    events: tuple[Event, ...] = ()
    sends: tuple[Send, ...] = ()


def handle(record: Record | None, message: Message) -> Step:
    """Take one message. Raises ValueError if the runtime itself sent it and it cannot be read."""
    _, _, caller, payload = message
    if caller is None:
        # Only the runtime sends without a caller, and only what is read here.
        value = TypedValue.FromString(payload)
        if value.typename == ASK:
            return _ask(record, Ask.decode(value))
        if value.typename == DEAD_LETTER_NOTE:
            return _dead_letter(record, value.value.decode())
        raise ValueError(f"a request takes no {value.typename} from outside")
    return _reply(record, payload)


def _ask(record: Record | None, ask: Ask) -> Step:
    if record is None:
        made = Record(ask.scope, ask.fingerprint, ask.awaits_reply)
        return Step(made, (Admitted(ask.waiter, _known(made)),), ask.sends)
    if record.fingerprint != ask.fingerprint:
        conflict = Answer(AnswerKind.CONFLICT, reason="another message was sent with this key before")
        return Step(record, (Admitted(ask.waiter, conflict),))
    return Step(record, (Admitted(ask.waiter, _known(record)),))


def _known(record: Record) -> Answer | None:
    """What a request is told by its record alone."""
    if not record.awaits_reply:
        return Answer(AnswerKind.ACCEPTED)
    if record.reply is not None:
        return Answer(AnswerKind.REPLIED, record.reply)
    return None if record.failure is None else Answer(AnswerKind.DEAD_LETTER, reason=record.failure)


def _reply(record: Record | None, payload: Payload) -> Step:
    answer = Answer(AnswerKind.REPLIED, payload)
    if record is None:
        return Step(None, (Told(answer, kept=False),))
    if record.reply is not None or not record.awaits_reply:
        return Step(record, (Unused(),))
    return Step(replace(record, reply=payload, failure=None), (Told(answer, kept=True),))


def _dead_letter(record: Record | None, reason: str) -> Step:
    told = Told(Answer(AnswerKind.DEAD_LETTER, reason=reason), kept=True)
    if record is None:
        return Step(None, (told,))
    if record.reply is not None or not record.awaits_reply:
        return Step(record)
    return Step(replace(record, failure=reason), (told,))
