from pathlib import Path

import pytest
from click.testing import CliRunner

from statefun_runtime.cli.main import main

FILES = """\
kind: io.statefun.file.v1/ingress
spec: {id: shop/in, key: id, path: in.jsonl, format: json-lines, valueType: shop/Order, targets: [shop/cart]}
---
kind: io.statefun.playground.v1/egress
spec: {}
"""


def local(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["flink", "local", *arguments])
    return result.exit_code, result.output


def test_kinds_that_flink_does_not_know_are_refused_with_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("module.yaml").write_text(FILES)
    code, said = local("module.yaml")
    assert code == 1
    assert "Flink does not know these kinds" in said
    assert "module.yaml:1:7: io.statefun.file.v1/ingress" in said
    assert "playground" not in said


def test_a_savepoint_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    code, said = local("module.yaml", "--from-savepoint", str(tmp_path / "none"))
    assert code == 2
    assert f"there is no {tmp_path / 'none'}" in said


def test_task_managers_are_those_of_a_cluster() -> None:
    code, said = local("module.yaml", "--task-managers", "2")
    assert code == 2
    assert "--task-managers needs --cluster" in said


def test_an_interval_is_a_duration() -> None:
    code, said = local("module.yaml", "--checkpoint-interval", "often")
    assert code == 2
    assert "is not a duration" in said
