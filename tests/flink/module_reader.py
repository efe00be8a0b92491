"""Module files read by Apache Flink Stateful Functions itself, without a job."""

import os
import re
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from statefun_runtime.cli.flink.cache_options import default_cache
from statefun_runtime.flink.archives import LOCAL, java
from statefun_runtime.flink.configuration import JAVA_OPTIONS
from statefun_runtime.flink.java_classes import LOCAL_SOURCE, compiled
from statefun_runtime.flink.maven import Cache

SOURCE = Path(__file__).parent / "java"
READER = "org.apache.flink.statefun.flink.core.ModuleReader"
MESSAGES = "messages"
"""In place of a file: the fields of messages of the protocol, by the name of the message."""
KINESIS_RECORD = "kinesis-record"
"""In place of a file: the parts of a record that the egress of Kinesis was given."""
_IDENTIFIER = re.compile(r"^(ingress|egress)\.\w+\((\w+), (\w+), [^)]*\)")
_FUNCTION = re.compile(r"^functions\.FunctionType\((\w+), (\w+)\)")

ReadFile = dict[str, str]
"""What Flink made of one file: values by the path of their fields, or under `error` why it was refused."""


def read_by_flink(directory: Path, files: Mapping[str, str], *more: str) -> dict[str, ReadFile]:
    """Have Flink read module files, given by name and text, all in one process of Java.

    They are written below `directory`; `more` are further names of module files as Flink takes them. The directory and
    those that names of files begin with are on the class path.
    """
    cache = Cache(default_cache(), partial(print, flush=True))
    jars = cache.jars(LOCAL)
    places = {(directory / name).parent for name in files}
    class_path = (compiled(SOURCE, jars, cache), compiled(LOCAL_SOURCE, jars, cache), *jars, *places)
    names = {MESSAGES: MESSAGES, KINESIS_RECORD: KINESIS_RECORD, **{name: name for name in more}}
    for name, text in files.items():
        file = directory / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        names[file.as_uri()] = name
    command = [
        str(java()),
        *JAVA_OPTIONS,
        "-cp",
        os.pathsep.join(map(str, class_path)),
        READER,
        *(name for name in names if name not in {MESSAGES, KINESIS_RECORD}),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, ReadFile] = {name: {} for name in names.values()}
    for line in done.stdout.splitlines():
        uri, path, value = line.split("\t", 2)
        path = _FUNCTION.sub(r"functions.\1/\2", _IDENTIFIER.sub(r"\1.\2/\3", path))
        read = found[names[uri]]
        read[path] = f"{read[path]}\n{value}" if path in read else value
    assert all(found.values()), found
    return found


def below(read: ReadFile, path: str) -> ReadFile:
    """The values of a file below a path, by what follows it."""
    return {name[len(path) + 1 :]: value for name, value in read.items() if name.startswith(f"{path}.")}
