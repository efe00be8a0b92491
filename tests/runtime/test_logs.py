import json
import logging
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.logs import JsonFormatter, TextFormatter, configure_logging, mask_url
from statefun_runtime.masking import Secrets


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def record(message: str, *args: object, level: int = logging.INFO, **extra: object) -> logging.LogRecord:
    logger = logging.getLogger("statefun_runtime.engine")
    made = logger.makeRecord(logger.name, level, "engine.py", 1, message, args, None, extra=extra)
    made.created, made.msecs = 1_700_000_000.25, 250.0
    return made


def open_nothing(url: str) -> None:
    raise RuntimeError(f"no {url} here")


def failed(message: str) -> logging.LogRecord:
    made = record(message, level=logging.ERROR)
    try:
        open_nothing("https://me:secret@host")
    except RuntimeError as error:
        made.exc_info = (type(error), error, error.__traceback__)
    return made


def as_json(made: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(made)
    assert "\n" not in line
    parsed = json.loads(line)
    assert isinstance(parsed, dict)
    return parsed


def as_text(made: logging.LogRecord, *, colour: bool = False) -> str:
    return TextFormatter(colour=colour).format(made)


def test_a_json_record_has_time_level_logger_message_and_its_fields() -> None:
    assert as_json(record("parked %s", "x", address="a/b/1", attempts=3, ok=True, gone=None)) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "info",
        "logger": "statefun_runtime.engine",
        "message": "parked x",
        "address": "a/b/1",
        "attempts": 3,
        "ok": True,
        "gone": None,
    }


def test_a_traceback_is_a_field_of_the_json_record() -> None:
    parsed = as_json(failed("it failed"))
    assert parsed["exception"].startswith("Traceback (most recent call last):\n")
    assert "RuntimeError: no https://***@host here" in parsed["exception"]


def test_a_stack_is_a_field_of_the_json_record() -> None:
    made = record("here")
    made.stack_info = "Stack (most recent call last):\n  somewhere"
    assert as_json(made)["stack"].endswith("somewhere")


def test_a_field_cannot_take_the_place_of_a_records_own() -> None:
    parsed = as_json(record("real", level=logging.WARNING, time="t", logger="l", exception="e"))
    assert (parsed["message"], parsed["level"], parsed["logger"]) == ("real", "warning", "statefun_runtime.engine")
    assert (parsed["extra_time"], parsed["extra_logger"], parsed["extra_exception"]) == ("t", "l", "e")


def test_fields_that_are_no_json_are_written_as_text() -> None:
    parsed = as_json(record("x", path=ValueError("v"), number=float("nan"), items=(1, 2), raw=b"\xff"))
    assert (parsed["path"], parsed["number"], parsed["items"]) == ("v", "nan", [1, 2])
    assert parsed["raw"] == "b'\\xff'"


def test_a_text_record_is_one_line_with_its_fields() -> None:
    line = as_text(record("parked", level=logging.WARNING, address="a/b/1", reason="no reply", empty=""))
    assert re.fullmatch(
        r"\d\d:\d\d:20\.250 WARNING statefun_runtime\.engine: parked  address=a/b/1  reason=\"no reply\"  empty=\"\"",
        line,
    )


def test_a_message_cannot_forge_another_line() -> None:
    line = as_text(record("a\n12:00:00.000 ERROR forged\x1b[31m\u2028", field="b\r\nc"))
    assert len(line.splitlines()) == 1
    assert "\\n12:00:00.000" in line
    assert "\x1b" not in line
    assert "field=b\\r\\nc" in line


def test_a_traceback_follows_the_line_of_a_text_record() -> None:
    lines = as_text(failed("it failed")).splitlines()
    assert lines[0].endswith("ERROR   statefun_runtime.engine: it failed")
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "RuntimeError: no https://***@host here"


@pytest.mark.parametrize(
    ("level", "code"),
    [(logging.WARNING, "33"), (logging.ERROR, "31"), (logging.CRITICAL, "1;31"), (logging.DEBUG, "2")],
)
def test_levels_have_colours_only_where_they_are_wanted(level: int, code: str) -> None:
    assert f"\x1b[{code}m" in as_text(record("x", level=level), colour=True)
    assert "\x1b" not in as_text(record("x", level=level))


def test_the_level_info_has_no_colour() -> None:
    assert "\x1b" not in as_text(record("x"), colour=True)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://me:secret@host/path?a=b", "https://***@host/path?a=b"),
        ("http://token@host", "http://***@host"),
        ("http+unix://me:s@/run/a.sock", "http+unix://***@/run/a.sock"),
        ("two: a://b:c@d and e://f@g", "two: a://***@d and e://***@g"),
        ("https://host/path@x", "https://host/path@x"),
        ("https://host?mail=a@b", "https://host?mail=a@b"),
        ("me@host", "me@host"),
        ("", ""),
    ],
)
def test_credentials_in_urls_are_masked(text: str, masked: str) -> None:
    assert mask_url(text) == masked


def test_no_format_writes_credentials_of_urls_or_secret_fields() -> None:
    extra: dict[str, Any] = {
        "url": "https://me:hidden@host",
        "password": "hidden",
        "secretAccessKey": "hidden",
        "aws_credentials": "hidden",
        "Authorization": "hidden",
        "api_key": "hidden",
    }
    made = record("calling %s", "https://me:hidden@host", **extra)
    for line in (JsonFormatter().format(made), as_text(made)):
        assert "hidden" not in line
        assert line.count("***") == len(extra) + 1


@pytest.mark.parametrize(
    ("log_format", "stream", "is_json"),
    [
        ("auto", StringIO, True),
        ("auto", Terminal, False),
        ("text", StringIO, False),
        ("json", Terminal, True),
    ],
)
def test_the_format_follows_the_stream_unless_it_is_said(
    log_format: Any, stream: type[StringIO], is_json: bool
) -> None:
    target = stream()
    configure_logging("info", log_format, target)
    logging.getLogger("some.module").warning("hello")
    assert target.getvalue().startswith("{") is is_json
    assert ("\x1b[33m" in target.getvalue()) is (log_format != "json" and stream is Terminal)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_known_secret_is_nowhere_in_a_record(log_format: Any) -> None:
    secret = 'hunt"er\\2'
    target = StringIO()
    configure_logging("info", log_format, target, Secrets([secret]))
    logging.getLogger().error("of %s", secret, extra={"reply": {"why": [secret]}})
    try:
        open_nothing(secret)
    except RuntimeError:
        logging.getLogger().exception("failed")
    assert "hunt" not in target.getvalue()
    assert target.getvalue().count("***") == 3


def test_records_below_the_level_are_not_written() -> None:
    target = StringIO()
    configure_logging("warning", "json", target)
    logging.getLogger("some.module").info("quiet")
    logging.getLogger("some.module").warning("loud")
    assert [json.loads(line)["message"] for line in target.getvalue().splitlines()] == ["loud"]


def test_configuring_again_replaces_the_former_handler() -> None:
    first, second = StringIO(), StringIO()
    configure_logging("info", "json", first)
    configure_logging("info", "json", second)
    logging.getLogger("some.module").info("once")
    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1


def test_stderr_is_the_stream_when_none_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    logging.getLogger("some.module").info("hello")
    assert json.loads(capsys.readouterr().err)["message"] == "hello"


@given(st.text(), st.text(), st.one_of(st.text(), st.binary(), st.floats(), st.integers(), st.none()))
def test_any_record_becomes_one_line_in_either_format(message: str, field: str, value: object) -> None:
    made = record("%s", message, field=field, value=value)
    parsed = as_json(made)
    assert parsed["message"] == mask_url(message)
    assert len(as_text(made).splitlines()) == 1
    assert JsonFormatter().format(made).encode("ascii")
