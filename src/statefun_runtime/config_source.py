"""Where settings come from: a TOML file, the environment, flags. Each value keeps its source for messages."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, cast

from statefun_runtime.suggestion import nearest_name

SECTION = "runtime"
"""The table of the config file that holds the settings."""
PREFIX = "STATEFUN_"
"""What the environment variables of the settings begin with."""
MAX_BYTES = 1 << 20
"""The largest config file."""

_ALIKE = 0.8
"""A variable with our prefix may belong to another program, so only one that looks like a slip is refused."""
_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_ASSIGNMENT = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*=""")


class Given(NamedTuple):
    """A value that somebody gave, and where: `statefun.toml:3`, `STATEFUN_MAX_BATCH`, `--max-batch`."""

    value: object
    source: str


def environment_name(setting: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + setting.upper()


def flag_name(setting: str) -> str:
    """The command-line flag of a setting."""
    return "--" + setting.replace("_", "-")


def from_file(path: Path, known: Collection[str], problems: list[str]) -> dict[str, Given]:
    """The settings of a config file, which must exist; what is wrong with it goes to `problems`."""
    try:
        content = path.read_bytes()
    except OSError as wrong:
        problems.append(f"{path}: cannot be read: {wrong.strerror}")
        return {}
    if len(content) > MAX_BYTES:
        problems.append(f"{path}: is larger than {MAX_BYTES} bytes")
        return {}
    try:
        text = content.decode("utf-8-sig")
        tables = tomllib.loads(text)
    except UnicodeDecodeError:
        problems.append(f"{path}: is not UTF-8 text")
        return {}
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as wrong:
        problems.append(f"{path}: is no TOML: {wrong}")
        return {}
    return _from_tables(tables, _Lines(path, text), known, problems)


def from_environment(environment: Mapping[str, str], known: Collection[str], problems: list[str]) -> dict[str, Given]:
    """The settings among environment variables; one that looks like a slip is a problem."""
    by_name = {environment_name(setting): setting for setting in known}
    given = {by_name[name]: Given(value, name) for name, value in environment.items() if name in by_name}
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in by_name:
            alike = nearest_name(name.removeprefix(PREFIX), [setting.upper() for setting in known], _ALIKE)
            if alike is not None:
                problems.append(f'{name}: is not a known setting (did you mean "{PREFIX}{alike}"?)')
    return given


def from_flags(flags: Mapping[str, object], known: Collection[str], problems: list[str]) -> dict[str, Given]:
    """The settings given on the command line, by name; `None` stands for a flag that was not given."""
    given: dict[str, Given] = {}
    for name, value in flags.items():
        if name not in known:
            problems.append(f"{flag_name(name)}: is not a known setting{_hint(name, known)}")
        elif value is not None:
            given[name] = Given(value, flag_name(name))
    return given


class _Lines:
    """Finds the line of a setting; tomllib does not tell it."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = dict(_numbered_keys(text))

    def source(self, section: str, name: str = "") -> str:
        line = self._lines.get((section, name))
        return str(self._path) if line is None else f"{self._path}:{line}"


def _from_tables(
    tables: Mapping[str, object], lines: _Lines, known: Collection[str], problems: list[str]
) -> dict[str, Given]:
    for name in tables:
        if name != SECTION:
            source = lines.source("", name) if not isinstance(tables[name], dict) else lines.source(name)
            hint = f' (did you mean "{SECTION}"?)' if nearest_name(name, [SECTION]) else ""
            problems.append(f"{source}: {name}: is not a known section; settings stand under [{SECTION}]{hint}")
    settings = tables.get(SECTION, {})
    if not isinstance(settings, dict):
        problems.append(f"{lines.source('', SECTION)}: {SECTION}: must be a table: [{SECTION}]")
        return {}
    given: dict[str, Given] = {}
    for name, value in cast("dict[str, object]", settings).items():
        source = lines.source(SECTION, name)
        if name in known:
            given[name] = Given(value, source)
        else:
            problems.append(f"{source}: {name}: is not a known setting{_hint(name, known)}")
    return given


def _numbered_keys(text: str) -> Iterator[tuple[tuple[str, str], int]]:
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = header[1].strip("\"'")
            yield (section, ""), number
        elif assignment := _ASSIGNMENT.match(line):
            yield (section, assignment[1]), number


def _hint(name: str, known: Collection[str]) -> str:
    near = nearest_name(name.replace("-", "_"), known)
    return f' (did you mean "{near}"?)' if near else ""
