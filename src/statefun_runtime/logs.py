"""Structured logs over the standard library: text for people, JSON lines for machines.

Records carry their facts as fields, given through `extra=`: `log.info("parked", extra={"address": address})`.
"""

import json
import logging
import math
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TextIO, TypeAlias

from statefun_runtime.masking import MASK, NO_SECRETS, Secrets

LogFormat: TypeAlias = Literal["auto", "text", "json"]

_CREDENTIALS = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]{0,30}://)[^/\s@?#]{1,1000}@")
_SECRET = re.compile(
    r"secret|password|passwd|credential|authorization|access_?key|private_?key|api_?key", re.IGNORECASE
)

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_RESERVED = ("time", "level", "logger", "message", "exception", "stack")

_COLOURS = {"WARNING": "33", "ERROR": "31", "CRITICAL": "1;31", "DEBUG": "2"}


def mask_url(url: str) -> str:
    """A text with the credentials of the URLs in it made unreadable: `https://***@host/path`."""
    return _CREDENTIALS.sub(rf"\1{MASK}@", url)


def configure_logging(
    level: str, log_format: LogFormat = "auto", stream: TextIO | None = None, secrets: Secrets = NO_SECRETS
) -> None:
    """Send the records of all loggers to `stream` (stderr), from `level` (`debug` to `error`) on, without `secrets`.

    `auto` is text if the stream is a terminal, else JSON. Calling it again replaces what it set up before.
    """
    target = sys.stderr if stream is None else stream
    terminal = target.isatty()
    handler = _RuntimeHandler(target)
    if log_format == "text" or (log_format == "auto" and terminal):
        handler.setFormatter(TextFormatter(colour=terminal, secrets=secrets))
    else:
        handler.setFormatter(JsonFormatter(secrets))
    root = logging.getLogger()
    for earlier in [known for known in root.handlers if isinstance(known, _RuntimeHandler)]:
        root.removeHandler(earlier)
        earlier.close()
    root.addHandler(handler)
    root.setLevel(level.upper())


class TextFormatter(logging.Formatter):
    """`12:30:01.250 WARNING statefun_runtime.engine: parked  address=ns/name/id`.

    A traceback follows on lines of its own. Times are local. Line breaks and control characters in messages are
    escaped, so that a record is one line and cannot pretend to be another.
    """

    def __init__(self, *, colour: bool, secrets: Secrets = NO_SECRETS) -> None:
        super().__init__()
        self._colour = colour
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        shown = self._secrets.masked(extra_fields(record))
        fields = "".join(f"  {name}={_shown(value)}" for name, value in shown.items())
        level = f"{record.levelname:7}"
        colour = _COLOURS.get(record.levelname)
        if self._colour and colour is not None:
            level = f"\x1b[{colour}m{level}\x1b[0m"
        head = f"{moment}.{int(record.msecs):03} {level} {record.name}: {_one_line(record.getMessage())}{fields}"
        return mask_url(self._secrets.mask("\n".join([head, *_tracebacks(self, record).values()])))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC, ISO 8601), level, logger, message, the record's fields, exception, stack.

    A field that bears one of those names is written as `extra_<name>`.
    """

    def __init__(self, secrets: Secrets = NO_SECRETS) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask_url(self._secrets.mask(record.getMessage())),
        }
        for name, value in extra_fields(record).items():
            line[f"extra_{name}" if name in _RESERVED else name] = _json_value(self._secrets.masked(value))
        line |= {name: mask_url(self._secrets.mask(text)) for name, text in _tracebacks(self, record).items()}
        return json.dumps(line, default=str)


def extra_fields(record: logging.LogRecord) -> Mapping[str, object]:
    """What was given through `extra=`; the value of a field whose name says that it is secret is masked."""
    return {
        name: MASK if _SECRET.search(name) else value for name, value in vars(record).items() if name not in _STANDARD
    }


class _RuntimeHandler(logging.StreamHandler[TextIO]):
    """Tells the handler that was set up here from those of others."""


def _tracebacks(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, str]:
    found: dict[str, str] = {}
    if record.exc_info:
        found["exception"] = formatter.formatException(record.exc_info)
    if record.stack_info:
        found["stack"] = formatter.formatStack(record.stack_info)
    return found


def _json_value(value: object) -> object:
    if isinstance(value, str):
        return mask_url(value)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _shown(value: object) -> str:
    text = _one_line(str(value))
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
