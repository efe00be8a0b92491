"""Limits of the engine. Times are in milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class OnFailure(Enum):
    """What becomes of a message whose function fails for good."""

    PARK = "park"
    """Its address is called no more until an operator resumes it; what waits there is kept."""
    DEAD_LETTER = "dead-letter"
    """It is put aside, and its address goes on with the next one."""


@dataclass(frozen=True, slots=True)
class FailurePolicy:
    """How the failures of a function type are met."""

    on_failure: OnFailure = OnFailure.PARK
    max_attempts: int = 10
    """A transient failure becomes one for good after this many attempts ..."""
    max_age: int = 5 * 60_000
    """... if the first was at least this long ago."""
    bisect: bool = False
    """Whether a batch that failed for good is split until the message that fails is alone."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the engine keeps and how it retries; the runtime's configuration documents each."""

    max_batch: int = 1000
    """Messages in one call."""
    max_batch_bytes: int = 4 * 1024 * 1024
    """Payload bytes in one call, unless a single message is larger."""
    max_in_flight: int = 64
    """Calls under way to one function type."""
    high_water: int = 2000
    """Runnable messages in memory at which ingresses pause. They come in batches, so it is passed at times."""
    crowded: int = 4
    """Times `high_water` at which further addresses of a function type that waits for its calls stay in the store."""
    max_ready: int = 256
    """Addresses of a function type that wait for their turn at which ingresses pause: enough for a few rounds of calls.

    What is accepted no sooner than it can run is often consumed in its own epoch, and then never written: with 256
    instead of 2000 an invocation of a random address writes 1.2 rows instead of 2.
    """
    outbox_memory: int = 32 * 1024 * 1024
    """Bytes of records that one egress is handed before it releases some."""
    outbox_limit: int = 1024 * 1024 * 1024
    """Bytes of records that wait for one egress, on disk and in memory, above which ingresses pause."""
    max_queued: int = 50_000
    """Messages in memory; further ones stay in the store until there is room again."""
    max_queued_bytes: int = 64 * 1024 * 1024
    """The same for the bytes of their payloads."""
    page: int = 2000
    """Messages in memory for one address."""
    cache_bytes: int = 128 * 1024 * 1024
    """Addresses in memory with their states; beyond it those without work leave."""
    delayed_window: int = 4096
    """Delayed messages in memory: at least half as many, at most twice as many, the nearest ones."""
    max_epoch: int = 10_000
    """Rows of the open epoch above which nothing goes on until the one before it is durable."""
    disk_quota: int = 16 * 1024**3
    """Bytes of waiting messages and dead letters at which ingresses pause."""
    retry_min: int = 10
    retry_max: int = 30_000
    max_attempts: int = 10
    """A transient failure parks its address after this many attempts ..."""
    max_age: int = 5 * 60_000
    """... if the first was at least this long ago."""
    max_rounds: int = 10
    """Replies in a row that ask for more states."""
    policies: Mapping[str, FailurePolicy] = field(default_factory=dict[str, FailurePolicy])
    """By typename or `namespace/*`, the former winning; of other function types `max_attempts` and `max_age` hold."""
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    """By a typename that a function had before: the one it has now."""

    def policy_of(self, typename: str) -> FailurePolicy:
        """The policy of a function type."""
        namespace = typename.rpartition("/")[0]
        found = self.policies.get(typename) or self.policies.get(f"{namespace}/*")
        return found or FailurePolicy(max_attempts=self.max_attempts, max_age=self.max_age)
