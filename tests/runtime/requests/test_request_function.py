"""What a request's address does with what comes to it, whatever comes in whichever order."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun.wire import encode_typed_value
from statefun_runtime.answer import DEAD_LETTER_NOTE, REQUESTS, Answer, AnswerKind
from statefun_runtime.interfaces import Address, Arrival, Message, Request, Send
from statefun_runtime.requests.ask import Ask, request_id
from statefun_runtime.requests.record import Record
from statefun_runtime.requests.request_function import Admitted, Told, Unused, handle

TARGET: Address = ("test/f", "a")
OWN: Address = (REQUESTS, "own")
SENDS = (Send(TARGET, b"hello"),)
REPLIED = Answer(AnswerKind.REPLIED, b"reply")


def ask(waiter: str = "one", fingerprint: str = "same", *, awaits_reply: bool = True) -> Message:
    request = Request((Arrival(TARGET, b"hello"),), awaits_reply, "key", "call test/f a", fingerprint)
    return 1, OWN, None, Ask.of(request, waiter).encode()


def reply(payload: bytes = b"reply") -> Message:
    return 1, OWN, TARGET, payload


def note(reason: str = "broken") -> Message:
    return 1, OWN, None, encode_typed_value(DEAD_LETTER_NOTE, reason.encode())


def test_one_ask_is_sent_on_and_everybody_gets_the_first_reply() -> None:
    first = handle(None, ask("one"))
    assert (first.events, first.sends) == ((Admitted("one", None),), SENDS)
    second = handle(first.record, ask("two"))
    assert (second.record, second.events, second.sends) == (first.record, (Admitted("two", None),), ())
    replied = handle(second.record, reply())
    assert replied.events == (Told(REPLIED, kept=True),)
    third = handle(replied.record, ask("three"))
    assert (third.events, third.sends) == ((Admitted("three", REPLIED),), ())


def test_another_message_with_the_same_key_is_a_conflict_and_changes_nothing() -> None:
    record = handle(None, ask()).record
    step = handle(record, ask("two", "other"))
    (event,) = step.events
    assert isinstance(event, Admitted)
    assert event.answer is not None
    assert event.answer.kind is AnswerKind.CONFLICT
    assert (step.record, step.sends) == (record, ())


def test_messages_that_await_no_reply_are_accepted_at_once_and_again() -> None:
    accepted = Admitted("one", Answer(AnswerKind.ACCEPTED))
    first = handle(None, ask(awaits_reply=False))
    assert (first.events, first.sends) == ((accepted,), SENDS)
    for message in (reply(), note()):
        step = handle(first.record, message)
        assert step.record == first.record
        assert not any(isinstance(event, Told) for event in step.events)
    assert handle(first.record, ask(awaits_reply=False)).events == (accepted,)


def test_a_reply_without_a_record_is_told_to_those_who_wait_now_and_kept_nowhere() -> None:
    step = handle(None, reply())
    assert (step.record, step.events) == (None, (Told(REPLIED, kept=False),))


def test_a_later_reply_is_unused() -> None:
    record = handle(handle(None, ask()).record, reply()).record
    step = handle(record, reply(b"another"))
    assert (step.record, step.events) == (record, (Unused(),))


def test_a_dead_letter_is_told_until_a_reply_takes_its_place() -> None:
    failed = handle(handle(None, ask()).record, note())
    told = Answer(AnswerKind.DEAD_LETTER, reason="broken")
    assert failed.events == (Told(told, kept=True),)
    assert handle(failed.record, ask("two")).events == (Admitted("two", told),)
    replied = handle(failed.record, reply())
    assert handle(replied.record, ask("three")).events == (Admitted("three", REPLIED),)
    assert handle(replied.record, note()) == (replied.record, (), ())


def test_a_dead_letter_without_a_record_is_told_to_those_who_wait_now() -> None:
    assert handle(None, note()).events == (Told(Answer(AnswerKind.DEAD_LETTER, reason="broken"), kept=True),)


@pytest.mark.parametrize(
    "payload", [encode_typed_value("test/x", b""), encode_typed_value("io.statefun.http/ask", b"{}")]
)
def test_what_the_runtime_never_sends_is_an_error(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"takes no test/x from outside|is no io\.statefun\.http/ask"):
        handle(None, (1, OWN, None, payload))


def test_an_order_that_a_function_sends_is_a_reply() -> None:
    message = (1, OWN, TARGET, ask()[3])
    assert handle(None, message).events == (Told(Answer(AnswerKind.REPLIED, message[3]), kept=False),)


def test_scope_and_key_are_told_apart_in_an_id() -> None:
    assert request_id("call a/b c", "d") != request_id("call a/b", "c d")
    assert request_id("call a/b c", "d") == request_id("call a/b c", "d")


@dataclass
class Model:
    """What clients may rely on, in other words: since when the key is known, by whom, and the first reply to it."""

    fingerprint: str | None = None
    replies: list[bytes] = field(default_factory=list[bytes])
    reason: str | None = None

    def answer(self) -> Answer | None:
        if self.replies:
            return Answer(AnswerKind.REPLIED, self.replies[0])
        return None if self.reason is None else Answer(AnswerKind.DEAD_LETTER, reason=self.reason)


ASKS = st.tuples(st.just("ask"), st.sampled_from(["same", "other"]))
REPLIES = st.tuples(st.just("reply"), st.sampled_from(["r1", "r2", "r3"]))
NOTES = st.tuples(st.just("note"), st.sampled_from(["n1", "n2"]))
EXPIRIES = st.tuples(st.just("expire"), st.just(""))


@given(st.lists(st.one_of(ASKS, REPLIES, NOTES, EXPIRIES)))
def test_whatever_comes_a_key_stands_for_one_message_and_its_first_reply(happenings: list[tuple[str, str]]) -> None:
    record: Record | None = None
    model = Model()
    for kind, what in happenings:
        match kind:
            case "ask":
                step = handle(record, ask("w", what))
                assert step.sends == (SENDS if model.fingerprint is None else ())
                model.fingerprint = model.fingerprint or what
                (event,) = step.events
                assert isinstance(event, Admitted)
                if model.fingerprint == what:
                    assert event.answer == model.answer()
                else:
                    assert event.answer is not None
                    assert event.answer.kind is AnswerKind.CONFLICT
            case "reply":
                step = handle(record, reply(what.encode()))
                if model.fingerprint is not None:
                    model.replies.append(what.encode())
                    assert (step.events == (Unused(),)) == (len(model.replies) > 1)
            case "note":
                step = handle(record, note(what))
                model.reason = what if model.fingerprint is not None else None
            case _:
                record, model = None, Model()
                continue
        record = None if step.record is None else Record.decode(step.record.encode())
        assert record == step.record
        assert (record is None) == (model.fingerprint is None)
