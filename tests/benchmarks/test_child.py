import sys
from pathlib import Path

import pytest

from benchmarks.peers.child import Child, ChildError

ENDS = "print('no such port'); raise SystemExit(3)"
STAYS = "import signal; print('ready', flush=True); signal.pause()"


def test_a_process_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = Child(tmp_path / "peer.log", (sys.executable, "-c", ENDS))
    with pytest.raises(ChildError, match=r"peer\.log ended by itself with 3:\nno such port"):
        child.wait_until(lambda: False, "its start")
    child.stop()


def test_what_does_not_come_in_time_is_told_with_the_last_words(tmp_path: Path) -> None:
    child = Child(tmp_path / "peer.log", (sys.executable, "-c", STAYS))
    child.wait_until(lambda: "ready" in child.said, "its start")
    with pytest.raises(ChildError, match=r"the reply did not come within 0 s; peer\.log:\nready"):
        child.wait_until(lambda: False, "the reply", seconds=0)
    child.stop()
    with pytest.raises(ChildError, match="ended by itself with -15"):
        child.check()
