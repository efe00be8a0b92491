"""A run: trees come in while the runtime and the function servers are killed, and all of it is compared in the end."""

from collections.abc import Sequence
from random import Random

from statefun_runtime.conformance.outcome import Outcome
from statefun_runtime.conformance.trees import Planter
from tests.conformance.outcome import differences, read_outcome
from tests.conformance.scene import RootSender, Scene
from tests.e2e.senders import Load

SENDERS = 6
TREES_BETWEEN = (20, 80)


def run_with_kills(scene: Scene, planter: Planter, kills: Sequence[str], random: Random) -> Outcome:
    """Send the trees of a planter, kill one process after the other meanwhile, and return what is right in the end."""
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
    except BaseException:
        print(scene.log_tails())
        raise
    finally:
        scene.end()
    return outcome
