"""`statefun conformance` on the function servers of all SDKs."""

from pathlib import Path

import pytest

from statefun_runtime.conformance.trees import STATES
from tests.conformance.languages import PRESENT, Language, LanguageServer
from tests.e2e.command import statefun

pytestmark = [pytest.mark.slow, pytest.mark.conformance, pytest.mark.timeout(300)]


@pytest.mark.parametrize("language", PRESENT, ids=lambda language: language.name)
def test_the_server_of_each_language_passes(language: Language, tmp_path: Path) -> None:
    server = LanguageServer(tmp_path, language)
    without = [part for state in STATES if state not in language.states for part in ("--without", state)]
    try:
        server.start()
        finished = statefun("conformance", server.url, "--function", language.typename, "--trees", "100", *without)
    finally:
        server.kill()
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("100 trees, ")
