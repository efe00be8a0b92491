"""Functions of every SDK, in trees that go through all of them, while runtime and servers are killed."""

from pathlib import Path
from random import Random

import pytest

from statefun_runtime.conformance.trees import Planter
from tests.conformance.languages import PRESENT
from tests.conformance.outcome import differences, read_outcome
from tests.conformance.scene import RootSender, Scene
from tests.e2e.senders import Load

pytestmark = [pytest.mark.slow, pytest.mark.conformance, pytest.mark.timeout(300)]
SENDERS = 6
INSTANCES = 8
"""Of each language."""
KILLS_OF_RUNTIME = 6
KILLS_OF_SERVER = 3
TREES_BETWEEN = (20, 80)
MESSAGES = 5_000
"""At least so many in the trees that are applied."""


def test_every_command_counts_once_in_every_language_whatever_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random, planter = Random(7), Planter(7, {each.typename: each.states for each in PRESENT}, INSTANCES)
    scene = Scene(tmp_path, PRESENT)
    kills = ["runtime"] * KILLS_OF_RUNTIME + list(scene.servers) * KILLS_OF_SERVER
    try:
        scene.start()
        with Load(scene.runtime, SENDERS, lambda name: RootSender(name, planter)) as load:
            for whom in random.sample(kills, len(kills)):
                load.wait_for(random.randint(*TREES_BETWEEN))
                scene.kill(whom)
            load.wait_for(TREES_BETWEEN[1])
        scene.finish()
        sent = [f"{each.id}-{text}" for each in load.senders for text in each.sent]
        acknowledged = [f"{each.id}-{text}" for each in load.senders for text in each.acknowledged]
        outcome = read_outcome(scene)
        assert differences(outcome, planter, acknowledged, sent) == []
        messages = dict.fromkeys(scene.servers, 0)
        for instance, state in outcome.states.items():
            messages[instance.partition("/")[0]] += state["journal"]["messages"]
        assert sum(messages.values()) >= MESSAGES
    except BaseException:
        print(scene.log_tails())
        raise
    finally:
        scene.end()
    with capsys.disabled():
        print(f"\nconformance: messages {messages}, records {outcome.records.total()}, kills {dict(scene.counts)}")
