"""Names the languages that this machine cannot run."""

import pytest

from tests.conformance.languages import LANGUAGES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for language in LANGUAGES:
        if missing := language.missing_tools():
            terminalreporter.write_line(f"conformance: {language.name} was not run, not found: {', '.join(missing)}")
