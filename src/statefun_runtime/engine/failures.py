"""What follows a failed call: when to try again, or that trying again is useless, and what becomes of its messages.

A batch that fails for good is bisected, if the policy says so: calls from the front of the mailbox with half of the
suspects, until the one message that fails is alone. Those before it pass; the order stays as it was.
"""

from random import Random

from statefun_runtime.engine.dead_letters import DeadLetters
from statefun_runtime.engine.dispatcher import Dispatcher
from statefun_runtime.engine.limits import Limits, OnFailure
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.engine.mailboxes import Mailboxes
from statefun_runtime.epoch import DeadLetter, Epoch, Parked
from statefun_runtime.interfaces import Batch, Failure, FailureKind


class RetryPolicy:
    """Exponential back-off with jitter, within limits; `random` makes it repeatable."""

    def __init__(self, limits: Limits, random: Random) -> None:
        self._limits = limits
        self._random = random

    def delay(self, attempts: int, failure: Failure) -> int:
        """Milliseconds until the next attempt, at least what the function asked for."""
        ceiling = min(self._limits.retry_max, self._limits.retry_min << min(attempts - 1, 30))
        jittered = self._random.randint(ceiling // 2, ceiling)
        return max(jittered, failure.retry_after or 0)

    def gives_up(self, mailbox: Mailbox, failure: Failure, now: int) -> bool:
        """Whether the failure is for good. Not asked when nobody answers: the endpoint will be back."""
        if failure.kind in (FailureKind.PERMANENT, FailureKind.MISCONFIGURED):
            return True
        policy = self._limits.policy_of(mailbox.address[0])
        return mailbox.attempts >= policy.max_attempts and now - mailbox.failing_since >= policy.max_age


class Failures:
    """Decides what becomes of a batch that had no effect, and carries it out in the mailboxes."""

    def __init__(
        self,
        mailboxes: Mailboxes,
        dispatcher: Dispatcher,
        limits: Limits,
        random: Random,
        dead_letters: DeadLetters,
    ) -> None:
        self._mailboxes = mailboxes
        self._dispatcher = dispatcher
        self._limits = limits
        self._retry = RetryPolicy(limits, random)
        self._dead_letters = dead_letters

    def failed(self, mailbox: Mailbox, batch: Batch, failure: Failure, now: int, epoch: Epoch) -> None:
        """Take a batch back whose call failed."""
        function_type, dispatcher = mailbox.function_type, self._dispatcher
        function_type.failures += 1
        dispatcher.put_back(mailbox, batch.messages)
        if failure.kind is FailureKind.UNREACHABLE:
            self._pause(mailbox, failure, now)
            return
        function_type.reached()
        mailbox.attempts += 1
        if mailbox.attempts == 1:
            mailbox.failing_since = now
        if not self._retry.gives_up(mailbox, failure, now):
            dispatcher.back_off(mailbox, now + self._retry.delay(mailbox.attempts, failure))
            return
        self._give_up(mailbox, batch, failure, now, epoch)

    def _pause(self, mailbox: Mailbox, failure: Failure, now: int) -> None:
        function_type = mailbox.function_type
        # Calls that were under way together fail together: only the first of them lengthens the pause.
        if function_type.paused_until <= now:
            function_type.unreachable += 1
            function_type.paused_until = now + self._retry.delay(function_type.unreachable, failure)
        function_type.window = 1
        self._mailboxes.make_ready(mailbox, first=True)

    def _give_up(self, mailbox: Mailbox, batch: Batch, failure: Failure, now: int, epoch: Epoch) -> None:
        policy, count = self._limits.policy_of(mailbox.address[0]), len(batch.messages)
        if failure.kind is FailureKind.MISCONFIGURED:
            self._park(mailbox, count, failure, now, epoch)
        elif policy.bisect and count > 1:
            mailbox.suspects = count
            self._dispatcher.back_off(mailbox, now + self._retry.delay(1, failure))
        elif policy.on_failure is OnFailure.PARK:
            self._park(mailbox, count, failure, now, epoch)
        else:
            self._bury(mailbox, count, failure, now, epoch)

    def _park(self, mailbox: Mailbox, count: int, failure: Failure, now: int, epoch: Epoch) -> None:
        mailbox.suspects = 0
        self._dispatcher.park(mailbox, Parked(now, mailbox.attempts, failure.reason, failure.kind, count), epoch)

    def _bury(self, mailbox: Mailbox, count: int, failure: Failure, now: int, epoch: Epoch) -> None:
        state = dict(mailbox.values)
        for message in self._mailboxes.remove(mailbox, count, epoch):
            letter = DeadLetter.of_message(now, message, failure.reason, mailbox.attempts, state)
            self._dead_letters.put_aside(letter, epoch)
        mailbox.attempts = mailbox.rounds = mailbox.suspects = 0
        self._mailboxes.settle(mailbox)

    def passed(self, mailbox: Mailbox, count: int) -> None:
        """Take note that a call with `count` messages had its effects."""
        mailbox.suspects = max(0, mailbox.suspects - count)
        if not mailbox.suspects:
            # While it is being bisected its attempts are used up: each part is called once.
            mailbox.attempts = 0
        mailbox.rounds = 0

    def resume(self, mailbox: Mailbox, epoch: Epoch) -> None:
        """Call a parked address again."""
        mailbox.attempts = mailbox.rounds = 0
        self._dispatcher.resume(mailbox, epoch)
