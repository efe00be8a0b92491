import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from statefun_runtime.config import FunctionSettings, RuntimeConfig, find_config_file, load_config, settings
from statefun_runtime.config_source import MAX_BYTES
from statefun_runtime.errors import ConfigError

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"

VALUES: dict[str, tuple[str, object]] = {
    "application_id": ("shop", "shop"),
    "data_dir": ("/var/lib/app", Path("/var/lib/app")),
    "lock_timeout": ("1 s", 1000),
    "admin_host": ("::1", "::1"),
    "admin_port": ("0", 0),
    "http_host": ("0.0.0.0", "0.0.0.0"),
    "http_port": ("65535", 65535),
    "http_egress_port": ("1", 1),
    "max_request_bytes": ("2 MiB", 2 << 20),
    "max_batch": ("7", 7),
    "max_in_flight": ("8", 8),
    "workers": ("3", 3),
    "max_remote_in_flight": ("20", 20),
    "high_water": ("9", 9),
    "outbox_memory": ("2 MB", 2_000_000),
    "outbox_limit": ("1 GiB", 1 << 30),
    "max_queued": ("10", 10),
    "max_queued_bytes": ("1 MiB", 1 << 20),
    "cache_bytes": ("1 MiB", 1 << 20),
    "delayed_window": ("10", 10),
    "max_epoch": ("10", 10),
    "disk_quota": ("1 GiB", 1 << 30),
    "commit_interval": ("0", 0),
    "call_timeout": ("3 min", 180_000),
    "reply_timeout": ("2 s", 2000),
    "max_reply_timeout": ("1 h", 3_600_000),
    "request_retention": ("1 min", 60_000),
    "spec_refresh": ("0", 0),
    "expiry_sweep": ("0", 0),
    "retry_min": ("5", 5),
    "retry_max": ("1 h", 3_600_000),
    "max_attempts": ("3", 3),
    "max_age": ("0 s", 0),
    "stop_timeout": ("1 s", 1000),
    "log_level": ("debug", "debug"),
    "log_format": ("json", "json"),
}


def write(directory: Path, text: str) -> Path:
    path = directory / "statefun.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(file: Path | None = None, environment: dict[str, str] | None = None, **flags: object) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load_config(file, environment, flags)
    return str(raised.value).splitlines()


def test_the_defaults_need_nothing_and_listen_on_loopback() -> None:
    config = load_config()
    assert config == RuntimeConfig()
    assert (config.admin_host, config.admin_port) == ("127.0.0.1", 8089)
    assert (config.http_host, config.http_port, config.http_egress_port) == ("127.0.0.1", 8090, 8091)
    assert (config.max_attempts, config.max_age, config.retry_min, config.retry_max) == (10, 300_000, 10, 30_000)


def test_every_setting_has_a_case_here() -> None:
    assert list(VALUES) == [setting.name for setting in settings()]


@pytest.mark.parametrize("name", VALUES)
def test_a_setting_is_read_from_file_environment_and_flag(tmp_path: Path, name: str) -> None:
    text, value = VALUES[name]
    file = write(tmp_path, f'[runtime]\n{name} = "{text}"\n')
    assert getattr(load_config(file), name) == value
    assert getattr(load_config(None, {f"STATEFUN_{name.upper()}": text}), name) == value
    assert getattr(load_config(None, None, {name: text}), name) == value


def test_flags_win_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "[runtime]\nmax_batch = 1\nhigh_water = 1\nmax_attempts = 1\n")
    environment = {"STATEFUN_MAX_BATCH": "2", "STATEFUN_HIGH_WATER": "2", "PATH": "/bin"}
    config = load_config(file, environment, {"max_batch": 3, "high_water": None})
    assert (config.max_batch, config.high_water, config.max_attempts) == (3, 2, 1)


def test_a_file_without_our_section_changes_nothing(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, "")) == RuntimeConfig()


def test_numbers_in_the_file_are_milliseconds_and_bytes(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, "[runtime]\ncall_timeout = 1500\nmax_request_bytes = 4096\n"))
    assert (config.call_timeout, config.max_request_bytes) == (1500, 4096)


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_config().max_batch = 5


def test_the_config_file_of_a_directory_is_found(tmp_path: Path) -> None:
    assert find_config_file(tmp_path) is None
    assert find_config_file(write(tmp_path, "").parent) == tmp_path / "statefun.toml"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("max_batch", "many", "must be a whole number, not 'many'"),
        ("max_batch", "0", "must be greater than 0, not '0'"),
        ("high_water", "-1", "must be greater than 0, not '-1'"),
        ("admin_port", "65536", "must be less than or equal to 65535, not '65536'"),
        ("admin_host", "", "must be a host name or an address, not ''"),
        ("admin_host", "a b", "must be a host name or an address, not 'a b'"),
        ("data_dir", "", "must name a directory, not ''"),
        ("call_timeout", "0", "must be greater than 0, not '0'"),
        ("call_timeout", "soon", "is not a duration such as 500 ms, 10 s or 2 min, not 'soon'"),
        ("max_request_bytes", "1 XB", "'xb' is no unit of size"),
        ("log_level", "inf", "must be 'debug', 'info', 'warning' or 'error', not 'inf' (did you mean \"info\"?)"),
        ("log_format", "yaml", "must be 'auto', 'text' or 'json', not 'yaml'"),
    ],
)
def test_a_wrong_value_names_setting_source_and_value(tmp_path: Path, name: str, text: str, message: str) -> None:
    file = write(tmp_path, f'# comment\n[runtime]\n\n{name} = "{text}"\n')
    variable, flag = f"STATEFUN_{name.upper()}", "--" + name.replace("_", "-")
    for source, lines in (
        (f"{file}:4", refusal(file)),
        (variable, refusal(None, {variable: text})),
        (flag, refusal(None, None, **{name: text})),
    ):
        (line,) = lines
        assert line.startswith(f"{source}: {name}: {message}")


@pytest.mark.parametrize("name", ["max_batch", "admin_port", "call_timeout", "max_request_bytes"])
@pytest.mark.parametrize("value", ["true", "[1]", "{a = 1}", "1.5", "1979-05-27"])
def test_a_value_of_another_toml_type_is_refused(tmp_path: Path, name: str, value: str) -> None:
    file = write(tmp_path, f"[runtime]\n{name} = {value}\n")
    (line,) = refusal(file)
    assert line.startswith(f"{file}:2: {name}: ")


def test_all_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, "[runtime]\nmax_batch = 0\nmax_bach = 1\n[runtim]\n")
    lines = refusal(file, {"STATEFUN_LOG_LEVEL": "loud", "STATEFUN_MAXBATCH": "1"}, highwater=1, high_water="x")
    assert [line.split(" ")[0] for line in lines] == [
        f"{file}:4:",
        f"{file}:3:",
        "STATEFUN_MAXBATCH:",
        "--highwater:",
        f"{file}:2:",
        "--high-water:",
        "STATEFUN_LOG_LEVEL:",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[runtime]\nmax-batch = 1\n", '2: max-batch: is not a known setting (did you mean "max_batch"?)'),
        ("[runtime]\nunheard = 1\n", "2: unheard: is not a known setting"),
        ("max_batch = 1\n", "1: max_batch: is not a known section; settings stand under [runtime]"),
        ("[runtme]\n", '1: runtme: is not a known section; settings stand under [runtime] (did you mean "runtime"?)'),
        ("runtime = 1\n", "1: runtime: must be a table: [runtime]"),
    ],
)
def test_an_unknown_name_in_the_file_shows_its_line_and_the_nearest_one(
    tmp_path: Path, text: str, expected: str
) -> None:
    file = write(tmp_path, text)
    assert refusal(file) == [f"{file}:{expected}"]


def test_a_variable_that_looks_like_a_slip_is_refused() -> None:
    assert refusal(None, {"STATEFUN_MAX_BATHC": "1"}) == [
        'STATEFUN_MAX_BATHC: is not a known setting (did you mean "STATEFUN_MAX_BATCH"?)'
    ]


def test_variables_of_other_programs_are_left_alone() -> None:
    assert load_config(None, {"STATEFUN_HOME": "/opt", "statefun_max_batch": "1"}) == RuntimeConfig()


def test_an_unknown_flag_is_refused_with_the_nearest_setting() -> None:
    assert refusal(max_bach=1) == ['--max-bach: is not a known setting (did you mean "max_batch"?)']


def test_retries_cannot_begin_later_than_they_end() -> None:
    assert refusal(None, {"STATEFUN_RETRY_MIN": "1 min"}, retry_max="30 s") == [
        "STATEFUN_RETRY_MIN, --retry-max: retry_min (1 min) must not be longer than retry_max (30 s)"
    ]


def test_a_call_cannot_wait_longer_than_it_may_ask_to() -> None:
    assert refusal(reply_timeout="2 s", max_reply_timeout="1 s") == [
        "--reply-timeout, --max-reply-timeout: reply_timeout (2 s) must not be longer than max_reply_timeout (1 s)"
    ]


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    (line,) = refusal(tmp_path / "missing.toml")
    assert line.startswith(f"{tmp_path / 'missing.toml'}: cannot be read: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[runtime", "is no TOML: "),
        (b"[runtime]\nmax_batch = 1\nmax_batch = 2\n", "is no TOML: "),
        (b"\xff", "is not UTF-8 text"),
        (b"#" * (MAX_BYTES + 1), f"is larger than {MAX_BYTES} bytes"),
        (b"a = " + b"[" * 50_000, "is no TOML: "),
    ],
)
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "statefun.toml"
    file.write_bytes(content)
    (line,) = refusal(file)
    assert line.startswith(f"{file}: {message}")


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.binary(max_size=60), st.text("[]runtime=\"'#\n 01_max.batch{},", max_size=60).map(str.encode)),
    st.dictionaries(st.sampled_from([f"STATEFUN_{name.upper()}" for name in VALUES]), st.text(max_size=10)),
)
def test_any_file_and_environment_give_a_config_or_a_config_error(
    tmp_path: Path, content: bytes, environment: dict[str, str]
) -> None:
    file = tmp_path / "statefun.toml"
    file.write_bytes(content)
    try:
        config = load_config(file, environment)
    except ConfigError as wrong:
        assert str(wrong)  # noqa: PT017 - either way is right
    else:
        assert config.max_batch > 0


def test_settings_tell_all_that_help_and_reference_need() -> None:
    by_name = {setting.name: setting for setting in settings()}
    assert [*by_name, "functions"] == list(RuntimeConfig.model_fields)
    timeout = by_name["call_timeout"]
    assert (timeout.unit, timeout.default) == ("ms", "2 min")
    assert (timeout.environment, timeout.flag) == ("STATEFUN_CALL_TIMEOUT", "--call-timeout")
    assert (by_name["max_request_bytes"].unit, by_name["max_request_bytes"].default) == ("bytes", "1 MiB")
    assert (by_name["data_dir"].unit, by_name["data_dir"].default) == ("", "statefun-data")
    assert all(setting.description.endswith(".") for setting in by_name.values())


def reference_rows(text: str) -> dict[str, str]:
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    return {re.findall(r"`([^`]+)`", row)[0]: row for row in rows}


def test_the_reference_shows_each_setting_with_default_variable_and_flag() -> None:
    before, section, after = re.split(
        r"(^## For single function types.*?)(?=^## )",
        REFERENCE.read_text(encoding="utf-8"),
        flags=re.MULTILINE | re.DOTALL,
    )
    named = reference_rows(before + after)
    assert list(named) == [setting.name for setting in settings()]
    for setting in settings():
        for part in (setting.default, setting.environment, setting.flag):
            assert f"`{part}`" in named[setting.name]
        assert setting.description in named[setting.name]
    assert list(reference_rows(section)) == list(FunctionSettings.model_fields)


# ----------------------------------------------------------------------------------------------- of function types


def test_what_is_set_for_a_function_type_is_read_with_its_units(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        '[functions."shop/cart"]\non_failure = "dead-letter"\nmax_attempts = 3\nmax_age = "1 min"\n'
        '[functions."shop/*"]\nbisect = true\n',
    )
    assert load_config(file).functions == {
        "shop/cart": FunctionSettings(on_failure="dead-letter", max_attempts=3, max_age=60_000),
        "shop/*": FunctionSettings(bisect=True),
    }
    assert load_config(write(tmp_path, "")).functions == {}


def test_batches_are_bisected_by_default_when_messages_are_put_aside() -> None:
    assert FunctionSettings(on_failure="dead-letter").bisects
    assert not FunctionSettings(on_failure="dead-letter", bisect=False).bisects
    assert not FunctionSettings().bisects
    assert FunctionSettings(bisect=True).bisects


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[functions."shop/cart"]\n\non_failure = "parc"',
            ":3: on_failure: must be 'park' or 'dead-letter', not 'parc' ",
        ),
        ('[functions."shop/cart"]\nmax_attempts = 0', ":2: max_attempts: must be greater than 0, not 0"),
        ("[functions.'shop/cart']\nmax_age = \"soon\"", ":2: max_age: "),
        ('[functions."shop/cart"]\nbisect = "yes"', ":2: bisect: must be a valid boolean, not 'yes'"),
        (
            '[functions."shop/cart"]\nmax_atempts = 1',
            ':2: max_atempts: is not a known setting (did you mean "max_attempts"?)',
        ),
        ('[functions."cart"]\nbisect = true', ":1: 'cart' is neither namespace/name nor namespace/*"),
        ('[functions."/*"]\nbisect = true', ":1: '/*' is neither namespace/name nor namespace/*"),
        ("functions = 3", ':1: functions: must hold tables: [functions."namespace/name"]'),
        ('[functions]\n"shop/cart" = 3', ": functions.shop/cart: must be a table: [functions.shop/cart]"),
    ],
)
def test_what_is_wrong_for_a_function_type_is_named_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    [line] = refusal(write(tmp_path, text))
    assert line.startswith(f"{tmp_path}/statefun.toml{problem}")


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, '[runtime]\nmax_batch = 0\n[functions."a/b"]\nbisect = 1\n[functions."a/c"]\nmax_age = -1\n')
    assert [line.partition(": ")[0].rpartition(":")[2] for line in refusal(file)] == ["4", "6", "2"]


def test_the_names_that_a_function_had_before_are_its_aliases(tmp_path: Path) -> None:
    file = write(tmp_path, '[functions."shop/basket"]\naliases = ["shop/cart", "shop/trolley"]\n')
    assert load_config(file).aliases == {"shop/cart": "shop/basket", "shop/trolley": "shop/basket"}
    assert load_config().aliases == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[functions."a/*"]\naliases = ["b/f"]', 'functions."a/*": only one function type can have aliases'),
        ('[functions."a/f"]\naliases = ["a/f"]', "the alias a/f is taken"),
        ('[functions."a/f"]\naliases = ["b/f"]\n[functions."a/g"]\naliases = ["b/f"]', "the alias b/f is taken"),
        ('[functions."a/f"]\naliases = ["b/f"]\n[functions."b/f"]\naliases = ["c/f"]', "the alias b/f is taken"),
        ('[functions."a/f"]\naliases = ["b/*"]', ":2: aliases: must name function types, as namespace/name"),
        ('[functions."a/f"]\naliases = "b/f"', ":2: aliases: must be a valid tuple"),
    ],
)
def test_an_alias_that_cannot_be_one_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    [line] = refusal(write(tmp_path, text))
    assert problem in line
