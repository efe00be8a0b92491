"""All rows of the table, in its order."""

from benchmarks import budget, start
from benchmarks.calls import rows as calls
from benchmarks.kafka import rows as kafka
from benchmarks.memory import rows as memory
from benchmarks.peers import rows as peers
from benchmarks.pipeline import curves
from benchmarks.pipeline import rows as pipeline
from benchmarks.recovery import rows as recovery
from benchmarks.sdk import rows as sdk

ROWS = (
    *sdk.ROWS,
    *pipeline.ROWS,
    *calls.ROWS,
    *kafka.ROWS,
    *peers.ROWS,
    *memory.ROWS,
    *recovery.ROWS,
    *start.ROWS,
    *curves.ROWS,
    *budget.ROWS,
)
