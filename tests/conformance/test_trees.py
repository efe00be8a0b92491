"""Functions of every SDK, in trees that go through all of them, while runtime and servers are killed."""

from pathlib import Path
from random import Random

import pytest

from statefun_runtime.conformance.trees import Planter
from tests.conformance.languages import PRESENT
from tests.conformance.running import run_with_kills
from tests.conformance.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.conformance, pytest.mark.timeout(300)]
INSTANCES = 8
"""Of each language."""
KILLS_OF_RUNTIME = 6
KILLS_OF_SERVER = 3
MESSAGES = 5_000
"""At least so many in the trees that are applied."""


def test_every_command_counts_once_in_every_language_whatever_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planter = Planter(7, {each.typename: each.states for each in PRESENT}, INSTANCES)
    scene = Scene(tmp_path, PRESENT)
    kills = ["runtime"] * KILLS_OF_RUNTIME + list(scene.servers) * KILLS_OF_SERVER
    outcome = run_with_kills(scene, planter, kills, Random(7))
    messages = dict.fromkeys(scene.servers, 0)
    for instance, state in outcome.states.items():
        messages[instance.partition("/")[0]] += state["journal"]["messages"]
    assert sum(messages.values()) >= MESSAGES
    with capsys.disabled():
        print(f"\nconformance: messages {messages}, records {outcome.records.total()}, kills {dict(scene.counts)}")
