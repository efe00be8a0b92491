"""What an operator does to parked addresses and dead letters, journalled in the epoch that does it."""

from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.epoch import DeadLetter, JournalEntry, LetterKind, Parked
from statefun_runtime.interfaces import Address, EgressRecord, Message
from statefun_runtime.operation import Action, Outcome, Target, target_text


class OperatorActions:
    """Changes the open epoch of an engine. What it did counts once that epoch is durable."""

    def __init__(self, engine: Engine, who: str) -> None:
        """Args: `who` is the operator's name for the journal."""
        self._engine = engine
        self._who = who

    def on_address(self, action: Action, address: Address) -> Outcome:
        """Resume, skip, purge or discard.

        The state of the address must be in memory, and for all but resuming its first messages. An address with more
        than these to be purged stays parked.
        """
        mailbox = self._engine.mailboxes.find(address)
        parked = mailbox.parked if mailbox is not None else None
        if mailbox is None or parked is None:
            return Outcome(target_text(address), done=False, text="is not parked")
        removed = self._remove(action, mailbox)
        if action is Action.DISCARD:
            for message in removed:
                self._engine.dead_letters.tell_request(
                    message, f"deleted by an operator; it could not be handled: {parked.reason}"
                )
        else:
            self._bury(mailbox, removed, parked, tried=action is Action.SKIP)
        if action in (Action.PURGE, Action.DISCARD) and mailbox.newest > mailbox.paged:
            self._stay_parked(mailbox, parked)
            return self._done(action, address, _told(action, len(removed), "more wait"))._replace(more=True)
        self._engine.failures.resume(mailbox, self._engine.epoch)
        return self._done(action, address, _told(action, len(removed), "resumed"))

    def _remove(self, action: Action, mailbox: Mailbox) -> list[Message]:
        if action is Action.RESUME:
            return []
        count = 1 if action is Action.SKIP else len(mailbox.queue)
        return self._engine.mailboxes.remove(mailbox, count, self._engine.epoch)

    def _stay_parked(self, mailbox: Mailbox, parked: Parked) -> None:
        """Say of an address that is purged in part that its first message is not the one that failed any more."""
        if parked.messages:
            reason = f"it is being purged; it parked because {parked.reason}"
            mailbox.parked = self._engine.epoch.parked[mailbox.address] = parked._replace(
                attempts=0, messages=0, reason=reason
            )
            mailbox.changed = self._engine.epoch.number

    def _bury(self, mailbox: Mailbox, messages: list[Message], parked: Parked, *, tried: bool) -> None:
        engine = self._engine
        # What was never given to the function does not keep the state: a purge of many would multiply it.
        attempts, state = (parked.attempts, dict(mailbox.values)) if tried else (0, {})
        for message in messages:
            letter = DeadLetter.of_message(engine.now, message, parked.reason, attempts, state)
            engine.dead_letters.put_aside(letter, engine.epoch)

    def on_letter(self, action: Action, letter: DeadLetter) -> Outcome:
        """Resend or delete a dead letter, which must be in the store and not gone in the open epoch."""
        refusal = self._resend(letter) if action is Action.RESEND else None
        if refusal is not None:
            return Outcome(str(letter.number), done=False, text=f"cannot be sent: {refusal}")
        self._engine.dead_letters.remove(letter, self._engine.epoch)
        text = f"sent again to {_destination(letter)}" if action is Action.RESEND else "deleted"
        return self._done(action, letter.number, text)

    def _resend(self, letter: DeadLetter) -> str | None:
        """Send what a letter holds; return why that cannot be."""
        _, target, caller, payload = letter.message
        match letter.kind:
            case LetterKind.MESSAGE:
                self._engine.send(target, caller, payload)
            case LetterKind.EGRESS_RECORD:
                if not self._engine.release(EgressRecord(letter.destination, payload)):
                    return f"the application, as it runs now, has no egress {letter.destination}"
            case LetterKind.INGRESS_RECORD:
                return (
                    "it never became a message; correct the record where it came from, or send a message of its value"
                )
        return None

    def _done(self, action: Action, target: Target, text: str) -> Outcome:
        engine, named = self._engine, target_text(target)
        entry = JournalEntry(engine.next_sequence(), engine.now, action.value, named, self._who, text)
        engine.epoch.journal.append(entry)
        return Outcome(named, done=True, text=text)


def _destination(letter: DeadLetter) -> str:
    return target_text(letter.message[1]) if letter.kind is LetterKind.MESSAGE else letter.destination


def _told(action: Action, count: int, then: str) -> str:
    if action is Action.RESUME:
        return then
    became = "deleted" if action is Action.DISCARD else "to the dead letters"
    return f"{count} message{'s' * (count != 1)} {became}, {then}"
