"""The settings of the runtime: defaults < config file < environment < flags.

Settings say how this process runs; what the application consists of stands in its module files.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from statefun_runtime.config_source import (
    FUNCTIONS,
    Given,
    environment_name,
    flag_name,
    from_environment,
    from_file,
    from_flags,
)
from statefun_runtime.errors import ConfigError
from statefun_runtime.suggestion import nearest_name
from statefun_runtime.units import LONGEST_DURATION, format_duration, format_size, parse_duration, parse_size

CONFIG_FILE = "statefun.toml"
"""The config file that is read when none is named and this one is in the working directory."""


def _whole(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a whole number")  # noqa: TRY004 - pydantic collects ValueErrors only
    return value


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else _whole(value)


def _size(value: object) -> object:
    return parse_size(value) if isinstance(value, str) else _whole(value)


def _host(value: str) -> str:
    if not value or not value.isprintable() or " " in value:
        raise ValueError("must be a host name or an address")
    return value


def _application_id(value: str) -> str:
    if not re.fullmatch(r"[a-zA-Z0-9._-]{1,100}", value):
        raise ValueError("must be 1 to 100 of the characters a-z A-Z 0-9 . _ -")
    return value


def _path(value: Path) -> Path:
    if not value.name or not str(value).isprintable():
        raise ValueError("must name a directory")
    return value


ApplicationId: TypeAlias = Annotated[str, AfterValidator(_application_id)]
Directory: TypeAlias = Annotated[Path, AfterValidator(_path)]
Host: TypeAlias = Annotated[str, AfterValidator(_host)]
Port: TypeAlias = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=65535)]
Count: TypeAlias = Annotated[int, BeforeValidator(_whole), Field(gt=0)]
CountOrZero: TypeAlias = Annotated[int, BeforeValidator(_whole), Field(ge=0)]
Size: TypeAlias = Annotated[int, BeforeValidator(_size), Field(gt=0, json_schema_extra={"unit": "bytes"})]
Duration: TypeAlias = Annotated[
    int, BeforeValidator(_duration), Field(gt=0, le=LONGEST_DURATION, json_schema_extra={"unit": "ms"})
]
DurationOrZero: TypeAlias = Annotated[
    int, BeforeValidator(_duration), Field(ge=0, le=LONGEST_DURATION, json_schema_extra={"unit": "ms"})
]


def _typename(value: str) -> str:
    namespace, _, name = value.rpartition("/")
    if not namespace or not name or name == "*":
        raise ValueError("must name function types, as namespace/name")
    return value


Typename: TypeAlias = Annotated[str, AfterValidator(_typename)]


class FunctionSettings(BaseModel):
    """What is set for a function type, or for all of a namespace; `None` follows the setting of the same name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on_failure: Literal["park", "dead-letter"] = Field(
        default="park", description="What follows a failure for good: park the address, or put the message aside."
    )
    max_attempts: Count | None = Field(
        default=None, description="Failed attempts after which a failure is one for good, once max_age is over."
    )
    max_age: DurationOrZero | None = Field(
        default=None, description="Time since its first failure before which no transient failure is one for good."
    )
    bisect: StrictBool | None = Field(
        default=None, description="Whether a batch that failed for good is split until the message that fails is alone."
    )

    aliases: tuple[Typename, ...] = Field(
        default=(), description="Typenames that the function had before: what belongs to them is its own now."
    )

    @property
    def bisects(self) -> bool:
        """Whether batches are bisected: unless said otherwise, when messages are put aside."""
        return self.on_failure == "dead-letter" if self.bisect is None else self.bisect


class RuntimeConfig(BaseModel):
    """All settings, checked. Times are milliseconds, sizes bytes.

    Where a default is a measured choice, the reason stands in `docs/reference/settings.md`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    application_id: ApplicationId = Field(
        default="statefun",
        description="Tells this application from others on the same Kafka; part of its transactional ids.",
    )
    data_dir: Directory = Field(
        default=Path("statefun-data"), description="Directory of the durable data, made if missing."
    )
    lock_timeout: DurationOrZero = Field(
        default=5000, description="How long a start waits for a process that owns the data directory and is ending."
    )
    admin_host: Host = Field(default="127.0.0.1", description="Address that metrics, health and status are served on.")
    admin_port: Port = Field(default=8089, description="Port for metrics, health and status; 0 takes a free one.")
    http_host: Host = Field(default="127.0.0.1", description="Address of the HTTP ingress and the HTTP egress.")
    http_port: Port = Field(
        default=8090, description="Port of the HTTP ingress when an application runs without module files."
    )
    http_egress_port: Port = Field(
        default=8091, description="Port of the HTTP egress when an application runs without module files."
    )
    max_request_bytes: Size = Field(default=1 << 20, description="Largest body that the HTTP ingress takes.")
    max_batch: Count = Field(
        default=1000, description="Most messages in one call of a function that the runtime hosts itself."
    )
    max_in_flight: Count = Field(
        default=64, description="Most calls under way to one function type that the runtime hosts."
    )
    workers: Annotated[int, Field(ge=0, le=256)] = Field(
        default=0, description="Processes that host the functions; 0 hosts them in the runtime's own."
    )
    max_remote_in_flight: Count = Field(
        default=256, description="Most calls under way to one function type behind an endpoint."
    )
    high_water: Count = Field(
        default=2000,
        description="Runnable messages in memory at which ingresses pause; those that wait for a free call of a slow "
        "function type count for that type alone.",
    )
    outbox_memory: Size = Field(
        default=32 << 20, description="Records that one egress holds in memory; the others wait on disk."
    )
    outbox_limit: Size = Field(
        default=1 << 30, description="Records that wait for one egress at which ingresses pause."
    )
    max_queued: Count = Field(
        default=50_000, description="Messages in memory; further ones stay in the store until there is room."
    )
    max_queued_bytes: Size = Field(
        default=64 << 20, description="Payloads of messages in memory; further ones stay in the store."
    )
    cache_bytes: Size = Field(
        default=128 << 20, description="Memory for addresses and their states; beyond it those without work leave it."
    )
    delayed_window: Count = Field(
        default=4096, description="Delayed messages in memory, the nearest ones; the others stay in the store."
    )
    max_epoch: Count = Field(
        default=10_000, description="Changes that wait for a commit under way, at which calls and ingresses pause."
    )
    disk_quota: Size = Field(
        default=16 << 30, description="Payloads of waiting messages and dead letters on disk at which ingresses pause."
    )
    commit_interval: DurationOrZero = Field(
        default=2, description="Least time between two commits while there is work."
    )
    call_timeout: Duration = Field(
        default=120_000, description="Longest call of a function that the runtime hosts itself."
    )
    reply_timeout: Duration = Field(
        default=30_000, description="How long a call over HTTP waits for its reply unless it says otherwise."
    )
    max_reply_timeout: Duration = Field(
        default=300_000, description="The longest that a call over HTTP may ask to wait for its reply."
    )
    request_retention: Duration = Field(
        default=86_400_000, description="How long the answer to a request with an Idempotency-Key is kept."
    )
    spec_refresh: DurationOrZero = Field(
        default=60_000, description="How often functions behind endpoints are asked for their states; 0 at start only."
    )
    expiry_sweep: CountOrZero = Field(
        default=500, description="Addresses on disk looked at in a second for values that expired; 0 never does."
    )
    retry_min: Duration = Field(
        default=10, description="Delay before the first retry of a failed call; it doubles each time."
    )
    retry_max: Duration = Field(default=30_000, description="Longest delay between two retries.")
    max_attempts: Count = Field(
        default=10, description="Failed attempts after which an address parks, once max_age is over."
    )
    max_age: DurationOrZero = Field(
        default=300_000, description="Time since its first failure before which an address does not park."
    )
    stop_timeout: DurationOrZero = Field(default=10_000, description="How long a stop waits for the calls under way.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe record logged."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto",
        description="How records look: text for people, json for machines, auto by whether stderr is a terminal.",
    )

    functions: Mapping[str, FunctionSettings] = Field(
        default_factory=dict[str, FunctionSettings],
        description="By `namespace/name` or `namespace/*`, the former winning. Only in the config file.",
    )

    @property
    def aliases(self) -> dict[str, str]:
        """By a typename that a function had before: the one it has now."""
        return {alias: name for name, function in self.functions.items() for alias in function.aliases}

    @model_validator(mode="after")
    def _check_aliases(self) -> "RuntimeConfig":
        seen: set[str] = set()
        for name, function in self.functions.items():
            for alias in function.aliases:
                if name.endswith("/*"):
                    raise ValueError(f'functions."{name}": only one function type can have aliases')
                if alias in self.functions or alias in seen:
                    raise ValueError(
                        f'functions."{name}": the alias {alias} is taken: by a table of its own or another'
                    )
                seen.add(alias)
        return self

    @model_validator(mode="after")
    def _check(self) -> "RuntimeConfig":
        if self.retry_min > self.retry_max:
            shown = format_duration(self.retry_min), format_duration(self.retry_max)
            raise ValueError(f"retry_min ({shown[0]}) must not be longer than retry_max ({shown[1]})")
        if self.reply_timeout > self.max_reply_timeout:
            shown = format_duration(self.reply_timeout), format_duration(self.max_reply_timeout)
            raise ValueError(f"reply_timeout ({shown[0]}) must not be longer than max_reply_timeout ({shown[1]})")
        return self


@dataclass(frozen=True, slots=True)
class Setting:
    """What is to be known about a setting: for the reference, `--help` and the tests that compare them.

    `unit` is `ms`, `bytes` or empty; `default` is written as a person would write it.
    """

    name: str
    description: str
    unit: str
    default: str
    environment: str
    flag: str


def settings() -> tuple[Setting, ...]:
    """All settings that have one value for the whole runtime, in the order of the reference."""
    return tuple(_setting(name) for name in RuntimeConfig.model_fields if name != FUNCTIONS)


def find_config_file(directory: Path) -> Path | None:
    """The config file of a directory, if it has one."""
    path = directory / CONFIG_FILE
    return path if path.is_file() else None


def load_config(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> RuntimeConfig:
    """The settings from all sources, each stronger than the one before: defaults, file, environment, flags.

    `flags` are settings by name, as text or already parsed; `None` means not given. A file that is named must exist.

    Raises:
        ConfigError: Settings are wrong. Its text has a line for each of them: source, name, value, the nearest known
            name.
    """
    known = [setting.name for setting in settings()]
    problems: list[str] = []
    given: dict[str, Given] = {}
    if file is not None:
        in_file = from_file(file, known, tuple(FunctionSettings.model_fields), problems)
        given |= in_file.runtime
        given[FUNCTIONS] = Given(_functions(in_file.functions, problems), str(file))
    given |= from_environment(environment or {}, known, problems)
    given |= from_flags(flags or {}, known, problems)
    try:
        config = RuntimeConfig.model_validate({name: value.value for name, value in given.items()})
    except ValidationError as wrong:
        problems += [_sentence(details, given) for details in wrong.errors(include_url=False)]
        raise ConfigError("\n".join(problems)) from wrong
    if problems:
        raise ConfigError("\n".join(problems))
    return config


def _functions(tables: Mapping[str, Mapping[str, Given]], problems: list[str]) -> dict[str, FunctionSettings]:
    functions: dict[str, FunctionSettings] = {}
    for pattern, given in tables.items():
        try:
            functions[pattern] = FunctionSettings.model_validate({name: value.value for name, value in given.items()})
        except ValidationError as wrong:
            problems += [_sentence(details, given) for details in wrong.errors(include_url=False)]
    return functions


def _setting(name: str) -> Setting:
    field = RuntimeConfig.model_fields[name]
    extra = cast("Mapping[str, object]", field.json_schema_extra or {})
    unit = str(extra.get("unit", ""))
    default = {"ms": format_duration, "bytes": format_size}.get(unit, str)(field.default)
    return Setting(name, field.description or "", unit, default, environment_name(name), flag_name(name))


def _sentence(details: ErrorDetails, given: Mapping[str, Given]) -> str:
    context = details.get("ctx", {})
    message = str(context.get("error", details["msg"].replace("Input should", "must")))
    if details["type"].startswith("int_"):
        message = "must be a whole number"
    if not details["loc"]:
        sources = [value.source for name, value in given.items() if name in message]
        return f"{', '.join(sources)}: {message}"
    name = str(details["loc"][0])
    value, source = given[name]
    near = nearest_name(str(value), str(context.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", "))
    hint = f' (did you mean "{near}"?)' if near else ""
    return f"{source}: {name}: {message}, not {value!r}{hint}"
