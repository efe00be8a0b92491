"""The documentation mentions every command, option, setting and metric."""

import tomllib
from collections.abc import Iterator

import click

from statefun_runtime.cli.main import main
from statefun_runtime.config import RuntimeConfig
from statefun_runtime.metrics import EngineSnapshot, FunctionSnapshot, Metrics
from tests.repo.documents import is_mentioned, table_rows
from tests.repo.sources import ROOT


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, f"{path} {name}")


def metric_names() -> list[str]:
    metrics = Metrics(lambda: EngineSnapshot(functions={"example/function": FunctionSnapshot()}))
    metrics.ingress("example/ingress")
    metrics.egress("example/egress")
    return [family.name for family in metrics.collect()]


def test_every_command_is_documented() -> None:
    paths = [path for path, _ in commands(main, "statefun")]
    assert "statefun flink check" in paths
    assert [path for path in paths if not is_mentioned(path)] == []


def test_every_option_is_documented() -> None:
    missing = [
        f"{path} {option}"
        for path, command in commands(main, "statefun")
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
        if option.startswith("--") and not is_mentioned(option)
    ]
    assert missing == []


def test_every_setting_is_documented() -> None:
    assert [name for name in RuntimeConfig.model_fields if not is_mentioned(name)] == []


def test_every_metric_is_documented() -> None:
    names = metric_names()
    assert len(names) > 10
    # A counter's samples carry the suffix, its family does not.
    assert [name for name in names if not is_mentioned(name) and not is_mentioned(f"{name}_total")] == []


def test_every_adapter_says_what_it_guarantees() -> None:
    rows = list(table_rows("docs/howto/adapters.md", "What each adapter guarantees"))
    assert [kind for kind in adapter_kinds() if not any(f"`{kind}`" in row for row in rows)] == []


def adapter_kinds() -> Iterator[str]:
    """The kinds of this package's adapters and of the example's."""
    for package in (ROOT, ROOT / "examples" / "sql_outbox"):
        groups = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
        yield from groups["statefun.ingresses"]
        yield from groups["statefun.egresses"]
