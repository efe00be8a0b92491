"""The Go SDK and this one are asked the same; what they answer differently is listed, and nothing else differs."""

from collections.abc import Iterator

import pytest

from tests.conformance.differences import DIFFERENCES, Brief
from tests.conformance.languages import LanguageServer
from tests.conformance.replies import GO, OURS, Answer, Request, ask
from tests.conformance.requests import http_requests, protocol_requests, random_comparable_requests

pytestmark = [pytest.mark.slow, pytest.mark.conformance, pytest.mark.timeout(300)]
REQUESTS = {**http_requests(), **{name: Request(body) for name, body in protocol_requests().items()}}
SEEDS = (21, 22)
REQUESTS_PER_SEED = 300


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LanguageServer, LanguageServer]]:
    """Go's, then ours."""
    assert not GO.missing_tools(), "the toolchain of Go is not on the path"
    directory = tmp_path_factory.mktemp("replies")
    both = LanguageServer(directory, GO), LanguageServer(directory, OURS)
    try:
        for server in both:
            server.start()
        yield both
    finally:
        for server in both:
            server.kill()


def brief(answer: Answer) -> Brief:
    meaning = answer.meaning or {}
    return answer.status, {kind: effects for kind, effects in meaning.items() if effects}


@pytest.mark.parametrize("name", [name for name in REQUESTS if name not in DIFFERENCES])
def test_a_request_is_answered_alike(name: str, servers: tuple[LanguageServer, LanguageServer]) -> None:
    theirs, ours = (ask(server.port, REQUESTS[name]) for server in servers)
    assert ours == theirs


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_is_as_listed(name: str, servers: tuple[LanguageServer, LanguageServer]) -> None:
    theirs, ours = (brief(ask(server.port, REQUESTS[name])) for server in servers)
    assert (theirs, ours) == DIFFERENCES[name]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_requests_are_answered_alike(seed: int, servers: tuple[LanguageServer, LanguageServer]) -> None:
    effects = 0
    for body in random_comparable_requests(seed, REQUESTS_PER_SEED):
        theirs, ours = (ask(server.port, Request(body)) for server in servers)
        assert ours == theirs
        effects += bool(brief(theirs)[1])
    assert effects > REQUESTS_PER_SEED / 4
