"""The processes of the smoke test, and what can happen to them."""

import json
import signal
import time
from collections import Counter
from pathlib import Path
from random import Random
from subprocess import Popen

from statefun_runtime.conformance.commands import messages
from tests.e2e.command import Runtime, get, wait_until
from tests.e2e.senders import Sender
from tests.e2e.server import Server
from tests.smoke.proxy import Proxy
from tests.smoke.trees import Planter

MODULE = """\
kind: io.statefun.playground.v1/ingress
spec: {{port: {port}}}
---
kind: io.statefun.endpoints.v2/http
spec:
  functions: smoke/*
  urlPathTemplate: http+unix://{socket}/statefun
---
kind: io.statefun.file.v1/egress
spec: {{id: smoke/records, path: {records}}}
"""
REMOTE = "tests.smoke.application:remote"
LOCAL = "tests.smoke.application:local"
SETTINGS = ("--retry-max", "200 ms", "--lock-timeout", "20 s")
LONGEST_PAUSE = 0.5
"""In seconds."""


class RootSender(Sender):
    """Sends trees, one after the other, each once; `messages` tells how many messages the acknowledged ones make."""

    def __init__(self, name: str, planter: Planter) -> None:
        super().__init__(name)
        self.messages = 0
        self._planter = planter

    def request(self, text: str) -> tuple[str, str, str]:
        target, message = self._planter.root(self.id, int(text))
        return f"/{target}", json.dumps(message), "application/vnd.smoke/Message"

    def send_next(self, port: int) -> bool:
        acknowledged = super().send_next(port)
        if acknowledged:
            self.messages += sum(1 for _ in messages(*self._planter.root(self.id, int(self.acknowledged[-1]))))
        return acknowledged


class Scene:
    """A runtime, a function server, and a proxy between them."""

    def __init__(self, directory: Path, random: Random) -> None:
        self.counts: Counter[str] = Counter()
        self.records = directory / "records.txt"
        self.server = Server(directory, REMOTE)
        self.proxy = Proxy(directory / "p.sock", self.server.socket, random.getrandbits(32))
        file = directory / "module.yaml"
        self.runtime = Runtime(directory, str(file), "--functions", LOCAL)
        self._random = random
        file.write_text(
            MODULE.format(port=self.runtime.ingress_port, socket=directory / "p.sock", records=self.records)
        )

    def act(self, action: str) -> None:
        """Do what an action says: kill or pause the runtime or the server."""
        self.counts[action] += 1
        what, whom = action.split()
        if what == "pause":
            self._pause((self.runtime if whom == "runtime" else self.server).command.process)
        elif whom == "server":
            self.server.command.kill()
            self.server.start(REMOTE)
        else:
            self.counts["invocations"] += self.status("invocations")
            self.runtime.kill()
            self.runtime.start(*SETTINGS)

    def _pause(self, process: Popen[bytes]) -> None:
        process.send_signal(signal.SIGSTOP)
        # The pause itself; nothing waits for its end.
        time.sleep(self._random.uniform(0.05, LONGEST_PAUSE))
        process.send_signal(signal.SIGCONT)

    def status(self, name: str) -> int:
        """A figure of `/status`."""
        return int(json.loads(get(self.runtime.admin_port, "/status")[1])[name])

    def finish(self) -> None:
        """Let both do what there is to do, delayed messages too, then stop the runtime."""
        wait_until(self._is_done, "the end of the work")
        self.counts["invocations"] += self.status("invocations")
        assert (self.status("parked"), self.status("dead_letters")) == (0, 0)
        assert self.runtime.stop() == 0

    def _is_done(self) -> bool:
        status = json.loads(get(self.runtime.admin_port, "/status")[1])
        return bool(status["idle"]) and not status["delayed"]

    def end(self) -> None:
        """Kill what is left."""
        self.runtime.kill()
        self.server.command.kill()

    def log_tails(self, lines: int = 30) -> str:
        """The end of what the processes logged."""
        logs = (self.runtime.command.log, self.server.command.log)
        return "\n".join(f"--- {log}\n" + "\n".join(log.read_text().splitlines()[-lines:]) for log in logs)
