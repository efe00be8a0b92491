"""One application in three languages: orders go through Go, Java and Python, and come out once, whatever is killed."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from statefun_runtime.conformance.commands import Command, Message
from statefun_runtime.conformance.trees import Planter
from tests.conformance.languages import LANGUAGES
from tests.conformance.outcome import roots
from tests.conformance.running import run_with_kills
from tests.conformance.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.conformance, pytest.mark.timeout(300)]
STAGES = ("go", "java", "python")
INSTANCES = 5
"""Of each stage."""
KILLS = 3
"""Of each process."""
ORDERS = 300
"""At least so many are applied."""


class Orders(Planter):
    """Orders: each stage adds the amount to its account, and the last one tells the egresses."""

    def root(self, sender: str, number: int) -> tuple[str, Message]:
        name = f"{sender}-{number}"
        random = Random(f"{self.seed} {name}")
        amount = str(random.randint(1, 1000))
        book = [Command(kind="verify"), Command(kind="add", state="long", amount=amount)]
        done = [Command(kind="egress", to="generic"), Command(kind="egress", to="kafka")]
        target, order = "", Message(id=0, commands=[])
        for stage in reversed(STAGES):
            onwards = [Command(kind="send", target=target, message=order)] if target else done
            target = f"{stage}/instance/{random.randrange(INSTANCES)}"
            order = Message(id=random.randrange(2**30), commands=[*book, *onwards])
        return target, Message(id=order["id"], commands=order["commands"], sender=sender, number=number, root=name)


def test_an_order_passes_all_stages_once_whatever_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stages = [language for language in LANGUAGES if language.name in STAGES]
    missing = [tool for language in stages for tool in language.missing_tools()]
    assert not missing, f"not on the path: {', '.join(missing)}"
    scene = Scene(tmp_path, stages)
    planter = Orders(3, {language.typename: language.states for language in stages}, INSTANCES)
    outcome = run_with_kills(scene, planter, ["runtime", *STAGES] * KILLS, Random(3))
    orders = len(roots(outcome))
    assert orders >= ORDERS
    passed, totals = Counter[str](), Counter[str]()
    for instance, state in outcome.states.items():
        stage = instance.partition("/")[0]
        passed[stage] += state["journal"]["messages"]
        totals[stage] += int(state["long"])
    assert passed == dict.fromkeys(STAGES, orders)
    assert len(set(totals.values())) == 1
    assert Counter(kind for kind, _, _ in outcome.records.elements()) == {"generic": orders, "kafka": orders}
    with capsys.disabled():
        print(f"\npipeline: {orders} orders through {', '.join(STAGES)}, kills {dict(scene.counts)}")
