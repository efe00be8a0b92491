from pathlib import Path

import pytest

from statefun_runtime.errors import ConfigError
from statefun_runtime.flink.settings_differences import settings_differences


def test_policies_are_told_and_aliases_refused_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "statefun.toml"
    file.write_text("""\
[runtime]
max_batch = 10
max_attempts = 3

[functions."shop/cart"]
on_failure = "dead-letter"
aliases = ["shop/basket"]
""")
    assert [
        (difference.effect.value, difference.position.line, difference.path)
        for difference in settings_differences(file)
    ] == [
        ("different", 3, "runtime.max_attempts"),
        ("different", 6, 'functions."shop/cart".on_failure'),
        ("refused", 7, 'functions."shop/cart".aliases'),
    ]


def test_a_wrong_config_file_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "statefun.toml"
    file.write_text("[runtime]\nmax_bach = 1\n")
    with pytest.raises(ConfigError, match="max_bach"):
        list(settings_differences(file))
