"""Where settings come from: a TOML file, the environment, flags. Each value keeps its source for messages."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, cast

from statefun_runtime.suggestion import nearest_name

SECTION = "runtime"
"""The table of the config file that holds the settings."""
FUNCTIONS = "functions"
"""The table of the config file that holds a table for each function type with settings of its own."""
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


class FileSettings(NamedTuple):
    """What a config file says: the settings by name, and by function type or namespace what is set for it."""

    runtime: dict[str, Given]
    functions: dict[str, dict[str, Given]]


def environment_name(setting: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + setting.upper()


def flag_name(setting: str) -> str:
    """The command-line flag of a setting."""
    return "--" + setting.replace("_", "-")


def from_file(
    path: Path, known: Collection[str], known_of_functions: Collection[str], problems: list[str]
) -> FileSettings:
    """The settings of a config file, which must exist; what is wrong with it goes to `problems`."""
    tables, lines = _read(path, problems)
    _refuse_other_sections(tables, lines, problems)
    runtime = _from_table(tables, SECTION, lines, known, problems)
    by_type = tables.get(FUNCTIONS, {})
    if not isinstance(by_type, dict):
        problems.append(f'{lines.source("", FUNCTIONS)}: {FUNCTIONS}: must hold tables: [{FUNCTIONS}."namespace/name"]')
        by_type = {}
    functions: dict[str, dict[str, Given]] = {}
    for name in cast("dict[str, object]", by_type):
        namespace, _, type_name = name.rpartition("/")
        if not namespace or not type_name:
            problems.append(
                f"{lines.source(f'{FUNCTIONS}.{name}')}: {name!r} is neither namespace/name nor namespace/*"
            )
        else:
            table = cast("Mapping[str, object]", {f"{FUNCTIONS}.{name}": by_type[name]})
            functions[name] = _from_table(table, f"{FUNCTIONS}.{name}", lines, known_of_functions, problems)
    return FileSettings(runtime, functions)


def _read(path: Path, problems: list[str]) -> tuple[Mapping[str, object], "_Lines"]:
    nothing: tuple[Mapping[str, object], _Lines] = {}, _Lines(path, "")
    try:
        content = path.read_bytes()
    except OSError as wrong:
        problems.append(f"{path}: cannot be read: {wrong.strerror}")
        return nothing
    if len(content) > MAX_BYTES:
        problems.append(f"{path}: is larger than {MAX_BYTES} bytes")
        return nothing
    try:
        text = content.decode("utf-8-sig")
        tables = tomllib.loads(text)
    except UnicodeDecodeError:
        problems.append(f"{path}: is not UTF-8 text")
        return nothing
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as wrong:
        problems.append(f"{path}: is no TOML: {wrong}")
        return nothing
    return tables, _Lines(path, text)


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


def _refuse_other_sections(tables: Mapping[str, object], lines: _Lines, problems: list[str]) -> None:
    for name in tables:
        if name not in (SECTION, FUNCTIONS):
            source = lines.source("", name) if not isinstance(tables[name], dict) else lines.source(name)
            near = nearest_name(name, [SECTION, FUNCTIONS])
            hint = f' (did you mean "{near}"?)' if near else ""
            problems.append(f"{source}: {name}: is not a known section; settings stand under [{SECTION}]{hint}")


def _from_table(
    tables: Mapping[str, object], section: str, lines: _Lines, known: Collection[str], problems: list[str]
) -> dict[str, Given]:
    settings = tables.get(section, {})
    if not isinstance(settings, dict):
        problems.append(f"{lines.source('', section)}: {section}: must be a table: [{section}]")
        return {}
    given: dict[str, Given] = {}
    for name, value in cast("dict[str, object]", settings).items():
        source = lines.source(section, name)
        if name in known:
            given[name] = Given(value, source)
        else:
            problems.append(f"{source}: {name}: is not a known setting{_hint(name, known)}")
    return given


def _numbered_keys(text: str) -> Iterator[tuple[tuple[str, str], int]]:
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = header[1].replace('"', "").replace("'", "")
            yield (section, ""), number
        elif assignment := _ASSIGNMENT.match(line):
            yield (section, assignment[1]), number


def _hint(name: str, known: Collection[str]) -> str:
    near = nearest_name(name.replace("-", "_"), known)
    return f' (did you mean "{near}"?)' if near else ""
