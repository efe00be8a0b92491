"""A runtime, a function server for each language, and what can happen to them."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from statefun_runtime.conformance.trees import EGRESSES, Planter
from tests.conformance.languages import Language, LanguageServer
from tests.e2e.command import Runtime, get, wait_until
from tests.e2e.senders import Sender

INGRESS = "kind: io.statefun.playground.v1/ingress\nspec: {{port: {port}}}\n"
ENDPOINT = "---\nkind: io.statefun.endpoints.v2/http\nspec: {{functions: {name}/*, urlPathTemplate: {url}}}\n"
EGRESS = "---\nkind: io.statefun.file.v1/egress\nspec: {{id: conformance/{kind}, path: {path}}}\n"
SETTINGS = ("--retry-max", "200 ms", "--lock-timeout", "20 s")


class RootSender(Sender):
    """Sends trees, one after the other, each once."""

    def __init__(self, name: str, planter: Planter) -> None:
        super().__init__(name)
        self._planter = planter

    def request(self, text: str) -> tuple[str, str, str]:
        target, message = self._planter.root(self.id, int(text))
        return f"/{target}", json.dumps(message), "application/vnd.conformance/Message"


class Scene:
    """The processes of one run. The records of each kind of egress go to a file of their own."""

    def __init__(self, directory: Path, languages: Sequence[Language]) -> None:
        self.counts: Counter[str] = Counter()
        self.records = {kind: directory / f"{kind}.txt" for kind in EGRESSES}
        self.servers = {language.name: LanguageServer(directory, language) for language in languages}
        file = directory / "module.yaml"
        self.runtime = Runtime(directory, str(file))
        documents = [INGRESS.format(port=self.runtime.ingress_port)]
        documents += [ENDPOINT.format(name=name, url=server.url) for name, server in self.servers.items()]
        documents += [EGRESS.format(kind=kind, path=path) for kind, path in self.records.items()]
        file.write_text("".join(documents))

    def start(self) -> None:
        for server in self.servers.values():
            server.start()
        self.runtime.start(*SETTINGS)

    def kill(self, whom: str) -> None:
        """Kill the runtime, or the server of a language, and start it again."""
        self.counts[whom] += 1
        if whom == "runtime":
            self.runtime.kill()
            self.runtime.start(*SETTINGS)
        else:
            self.servers[whom].kill()
            self.servers[whom].start()

    def finish(self) -> None:
        """Let all do what there is to do, delayed messages too, then stop the runtime."""
        wait_until(self._is_done, "the end of the work")
        status = self._status()
        assert (status["parked"], status["dead_letters"]) == (0, 0)
        assert self.runtime.stop() == 0

    def end(self) -> None:
        """Kill what is left."""
        self.runtime.kill()
        for server in self.servers.values():
            server.kill()

    def log_tails(self, lines: int = 20) -> str:
        """The end of what the processes logged."""
        logs = (self.runtime.command.log, *(server.log for server in self.servers.values()))
        return "\n".join(f"--- {log}\n" + "\n".join(log.read_text().splitlines()[-lines:]) for log in logs)

    def _is_done(self) -> bool:
        status = self._status()
        return bool(status["idle"]) and not status["delayed"]

    def _status(self) -> dict[str, int]:
        status: dict[str, int] = json.loads(get(self.runtime.admin_port, "/status")[1])
        return status
