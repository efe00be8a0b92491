"""The settings of this runtime that say what to do about failures and that Flink has no counterpart for."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from statefun_runtime.config import FunctionSettings, settings
from statefun_runtime.config_source import FUNCTIONS, from_file
from statefun_runtime.errors import ConfigError
from statefun_runtime.flink.difference import Difference, different, refused
from statefun_runtime.module.position import Position

_RETRIES = (
    "Flink tries a call again until its time limit is over, and then the whole job restarts",
    "a time limit in the endpoint's transport that covers the longest outage, as call: 30s",
)
_POLICIES = MappingProxyType(
    {
        "on_failure": (
            "on Flink a message that fails for good fails the whole job; nothing is parked, there are no dead letters",
            "catch the error in the function and send the message to an egress for dead letters",
        ),
        "bisect": ("Flink sends the same batch again", "maxNumBatchRequests: 1, at the price of throughput"),
        "max_attempts": _RETRIES,
        "max_age": _RETRIES,
        "retry_min": _RETRIES,
        "retry_max": _RETRIES,
    }
)
_ALIASES = (
    "Flink looks for states under the new typename only: those under the old one are lost",
    "keep the typename, or move the states by `statefun flink export` and `statefun flink import`",
)


def settings_differences(file: Path) -> Iterator[Difference]:
    """The differences of a config file, which must exist.

    Raises:
        ConfigError: The file is wrong.
    """
    problems: list[str] = []
    known = [setting.name for setting in settings()]
    given = from_file(file, known, tuple(FunctionSettings.model_fields), problems)
    if problems:
        raise ConfigError("\n".join(problems))
    tables = {"runtime": given.runtime} | {f'{FUNCTIONS}."{name}"': table for name, table in given.functions.items()}
    for table, values in tables.items():
        for name, value in values.items():
            _, _, line = value.source.rpartition(":")
            position = Position(str(file), int(line) if line.isdigit() else 0, 1)
            if name == "aliases":
                yield refused(position, f"{table}.{name}", *_ALIASES)
            elif name in _POLICIES:
                yield different(position, f"{table}.{name}", *_POLICIES[name])
