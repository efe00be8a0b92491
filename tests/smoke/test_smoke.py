"""Random trees of commands on real processes that are killed, paused and cut off: every effect is there once."""

from pathlib import Path
from random import Random

import pytest

from tests.e2e.senders import Load
from tests.smoke.outcome import differences, read_outcome
from tests.smoke.scene import SETTINGS, RootSender, Scene
from tests.smoke.trees import Planter

ACTIONS = ["kill runtime"] * 10 + ["kill server"] * 8 + ["pause runtime"] * 3 + ["pause server"] * 3
SENDERS = 8
MESSAGES = 52_000
"""At least so many in the trees that were acknowledged, in each run."""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("seed", "instances"), [(1, 128), (2, 1000)])
def test_every_command_counts_once_whatever_is_killed_paused_and_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int, instances: int
) -> None:
    random, planter = Random(seed), Planter(seed, instances)
    senders: list[RootSender] = []

    def say(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    def make(name: str) -> RootSender:
        senders.append(RootSender(name, planter))
        return senders[-1]

    say(f"\nsmoke: seed {seed}, {instances} instances, data, logs and records in {tmp_path}")
    scene = Scene(tmp_path, random)
    try:
        with scene.proxy:
            scene.runtime.start(*SETTINGS)
            with Load(scene.runtime, SENDERS, make) as load:
                for number, action in enumerate(random.sample(ACTIONS, len(ACTIONS)), 1):
                    load.wait_for(random.randint(20, 100))
                    say(f"  {sum(each.messages for each in senders):>7} messages: {number}. {action}")
                    scene.act(action)
                while sum(each.messages for each in senders) < MESSAGES:
                    load.wait_for(50)
            scene.finish()
        sent = [f"{each.id}-{text}" for each in senders for text in each.sent]
        acknowledged = [f"{each.id}-{text}" for each in senders for text in each.acknowledged]
        outcome = read_outcome(scene.runtime, scene.records)
        assert differences(outcome, planter, acknowledged, sent) == []
    except BaseException:
        say(scene.log_tails())
        raise
    finally:
        scene.end()
    figures = {
        "trees sent, acknowledged, applied": f"{len(sent)}, {len(acknowledged)}, {len(outcome.roots())}",
        "messages": sum(int(state["messages"]) for state in outcome.states.values()),
        "invocations seen": scene.counts["invocations"],
        "records": outcome.records.total(),
        **{name: scene.counts[name] for name in sorted(set(ACTIONS))},
        **{f"connections {fate}": times for fate, times in sorted(scene.proxy.counts.items())},
    }
    say("\n".join(f"  {name:<36}{figure!s:>20}" for name, figure in figures.items()))
