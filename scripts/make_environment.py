"""Make the virtual environment that the repository's commands run in.

Usage: python3 scripts/make_environment.py VENV [--demo] [--repin]

Installs what pyproject.toml asks for in the versions of constraints.txt, and the package itself, editable. Running it
again brings an environment up to date; one whose making was interrupted is made anew. Needs Python and its standard
library alone.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  an older Python must get this far to say so
    sys.exit(
        "Python 3.11 or newer is needed, this is {}.{} ({}).\n"
        "Name another one, as in: make demo PYTHON=python3.12".format(*sys.version_info[:2], sys.executable)
    )

import argparse
import shutil
import subprocess
import time
import tomllib
import venv
from collections import deque
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
HEADER = """\
# Every package of the repository's own environment, pinned. Written by:
#   python3 scripts/make_environment.py VENV --repin
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("venv", type=Path, metavar="VENV", help="where the environment is or goes")
    parser.add_argument("--demo", action="store_true", help="only what `make demo` needs, no development tools")
    parser.add_argument("--repin", action="store_true", help="take the newest versions and write them down")
    arguments = parser.parse_args()
    started = time.monotonic()
    environment = Environment(arguments.venv)
    environment.create()
    pins = [] if arguments.repin else ["--constraint", str(CONSTRAINTS)]
    tools = [] if arguments.demo else dependency_group("dev")
    environment.install("what builds packages", *pins, *dependency_group("build"))
    environment.install("the package and what it needs", *pins, *tools, "--editable", f"{ROOT}[all]")
    environment.install("the data of the demo", "--use-pep517", "--no-deps", *dependency_group("demo"))
    environment.finish()
    if arguments.repin:
        CONSTRAINTS.write_text(HEADER + environment.freeze(), encoding="utf-8")
    print(f"{arguments.venv} is ready after {time.monotonic() - started:.0f} s", flush=True)


def dependency_group(name: str) -> list[str]:
    """The requirements of a dependency group of pyproject.toml (pip before 25.1 cannot read them)."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        groups: dict[str, list[str]] = tomllib.load(file)["dependency-groups"]
    return groups[name]


class Environment:
    """A virtual environment in `path`; it holds the file `incomplete` until all was installed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.python = path / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        self.incomplete = path / "incomplete"

    def create(self) -> None:
        """Make the environment, unless there is a whole one of this version of Python."""
        if find_spec("ensurepip") is None:
            sys.exit("This Python has no `ensurepip`. Debian and Ubuntu keep it apart: apt install python3-venv")
        if self.path.exists() and not self.is_usable():
            if any(self.path.iterdir()) and not (self.path / "pyvenv.cfg").exists():
                sys.exit(f"{self.path} exists and is no virtual environment: remove it or name another place.")
            say(f"making {self.path} anew: it is incomplete or of another Python")
            shutil.rmtree(self.path)
        if not self.path.exists():
            say(f"making {self.path} with Python {sys.version.split()[0]}")
            self.path.mkdir(parents=True)
            self.incomplete.touch()
            venv.create(self.path, with_pip=True)
        self.incomplete.touch()

    def is_usable(self) -> bool:
        """Whether it was made to the end and runs this version of Python."""
        if self.incomplete.exists() or not self.python.exists():
            return False
        answer = subprocess.run(
            [self.python, "-c", "import pip, sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        return answer.stdout.split() == [str(part) for part in sys.version_info[:2]]

    def install(self, what: str, *arguments: str) -> None:
        """Run `pip install`, showing what it is at. Builds use this environment's own pinned tools."""
        started = time.monotonic()
        command = [str(self.python), "-m", "pip", "install", "--no-build-isolation", "--disable-pip-version-check"]
        process = subprocess.Popen(
            [*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        last_lines: deque[str] = deque(maxlen=30)
        with process:
            for line in process.stdout or ():
                last_lines.append(line)
                show_progress(what, line)
        if process.returncode:
            sys.exit(f"\nInstalling {what} failed; pip said:\n{''.join(last_lines)}")
        clear_progress()
        say(f"installed {what} ({time.monotonic() - started:.0f} s)")

    def finish(self) -> None:
        """Note that the environment is whole."""
        self.incomplete.unlink()

    def freeze(self) -> str:
        """What is installed, one `name==version` a line, without this package and where it came from."""
        command = [str(self.python), "-m", "pip", "list", "--format=freeze", "--exclude-editable", "--exclude=pip"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True)
        return listed.stdout


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def show_progress(what: str, line: str) -> None:
    """Keep one line of a terminal up to date; elsewhere nothing, as a log needs the outcome only."""
    if sys.stdout.isatty() and line.startswith(("Collecting", "Downloading", "Building", "Installing")):
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\033[K  {what}: {line.strip()}"[:width], end="", flush=True)


def clear_progress() -> None:
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)


if __name__ == "__main__":
    main()
