"""Limits of the engine. Times are in milliseconds."""

from dataclasses import dataclass


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
    """Runnable messages in memory at which ingresses pause."""
    cached_addresses: int = 200_000
    """Idle addresses whose state stays in memory."""
    outbox_memory: int = 32 * 1024 * 1024
    """Bytes of records that one egress is handed before it releases some."""
    outbox_limit: int = 1024 * 1024 * 1024
    """Bytes of records that wait for one egress, on disk and in memory, above which ingresses pause."""
    retry_min: int = 10
    retry_max: int = 30_000
    max_attempts: int = 10
    """A transient failure parks its address after this many attempts ..."""
    max_age: int = 5 * 60_000
    """... if the first was at least this long ago."""
    max_rounds: int = 10
    """Replies in a row that ask for more states."""
