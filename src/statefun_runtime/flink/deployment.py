"""The files with which an application runs on Flink in containers: with Docker Compose, or on Kubernetes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from textwrap import indent
from types import MappingProxyType
from typing import Literal, TypeAlias

import yaml

from statefun_runtime.flink.configuration import JAVA_OPTIONS, JOB_CLASS, JobSettings, as_yaml, job_configuration

Target: TypeAlias = Literal["docker", "kubernetes"]
FlinkVersion: TypeAlias = Literal["1.16", "2.2"]

FUNCTIONS_PORT = 8000

_SUFFIX = ".template"
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", re.ASCII)
_IMAGE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._/:@-]{0,254}", re.ASCII)
_STORAGE = re.compile(r"[a-z][a-z0-9]*://[a-zA-Z0-9._/@-]+", re.ASCII)
_JOB_MANAGER_MEMORY = "1024m"
_TASK_MANAGER_MEMORY = "2048m"

BASE_IMAGES: Mapping[FlinkVersion, str] = MappingProxyType(
    {"1.16": "docker.io/apache/flink-statefun:3.3.0-java11", "2.2": "docker.io/fransking/flink-statefun:3.4.1"}
)
"""Apache Stateful Functions 3.3.0 is the newest of Apache, for Flink 1.16; what runs on 2.2 is a fork of it."""

_OF_FLINK_2: Mapping[str, str] = MappingProxyType(
    {
        "env.java.opts": "env.java.opts.all",
        "execution.buffer-timeout": "execution.buffer-timeout.interval",
        "execution.checkpointing.unaligned": "execution.checkpointing.unaligned.enabled",
        "execution.savepoint.ignore-unclaimed-state": "execution.state-recovery.ignore-unclaimed-state",
        "execution.savepoint.path": "execution.state-recovery.path",
        "high-availability": "high-availability.type",
        "restart-strategy": "restart-strategy.type",
        "state.backend": "state.backend.type",
        "state.backend.incremental": "execution.checkpointing.incremental",
        "state.checkpoints.dir": "execution.checkpointing.dir",
        "state.checkpoints.num-retained": "execution.checkpointing.num-retained",
        "state.savepoints.dir": "execution.checkpointing.savepoint-dir",
    }
)
"""Keys of Flink 1.16 that 2.x has renamed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What is to be deployed.

    `functions` names them as `app:functions`, `None` if they are deployed by other means. `storage` is the URI of a
    directory that all of the cluster reaches, `None` for a volume. `application` leads from the directory of the files
    to that of the application, `out` back.
    """

    name: str
    target: Target
    module: str
    functions: str | None = None
    flink: FlinkVersion = "1.16"
    parallelism: int = 1
    checkpoint_interval: int = 10_000
    storage: str | None = None
    base_image: str | None = None
    application: str = ".."
    out: str = "deploy"
    requirements: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError: something would not be right in the files that it is written into."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} cannot name a deployment: lower-case letters, digits and -, at most 40")
        if self.base_image is not None and not _IMAGE.fullmatch(self.base_image):
            raise ValueError(f"{self.base_image!r} is no name of an image")
        if self.storage is not None and not _STORAGE.fullmatch(self.storage):
            raise ValueError(f"{self.storage!r} is no URI of a directory, as s3://bucket/shop is")


def functions_url(name: str, target: Target) -> str:
    """Where Flink calls the functions of a deployment."""
    return f"http://{'functions' if target == 'docker' else f'{name}-functions'}:{FUNCTIONS_PORT}/"


def flink_configuration(deployment: Deployment) -> dict[str, str]:
    """Flink's configuration: that of a job anywhere, and what containers need."""
    storage = (deployment.storage or "file:///state").rstrip("/")
    settings = JobSettings(
        module=f"file://{module_directory(deployment)}/module.yaml",
        checkpoints=f"{storage}/checkpoints",
        savepoints=f"{storage}/savepoints",
        name=deployment.name,
        parallelism=deployment.parallelism,
        checkpoint_interval=deployment.checkpoint_interval,
        state_backend="rocksdb",
    )
    configuration = {
        **job_configuration(settings),
        "state.checkpoints.num-retained": "3",
        "taskmanager.numberOfTaskSlots": "1",
        "env.java.opts": " ".join(JAVA_OPTIONS),
    }
    if deployment.target == "kubernetes":
        configuration |= {"high-availability": "kubernetes", "high-availability.storageDir": f"{storage}/recovery"}
    else:
        configuration |= {
            "jobmanager.memory.process.size": _JOB_MANAGER_MEMORY,
            "taskmanager.memory.process.size": _TASK_MANAGER_MEMORY,
        }
    if deployment.flink == "2.2":
        configuration = {_OF_FLINK_2.get(key, key): value for key, value in configuration.items()}
    return configuration


def module_directory(deployment: Deployment) -> str:
    """Where the module file lies in every container of Flink."""
    return f"/opt/statefun/modules/{deployment.name}"


def deployment_files(deployment: Deployment) -> dict[str, str]:
    """The text of each file, by its name."""
    values = _values(deployment)
    written = {name: template.substitute(values) for name, template in _templates(deployment)}
    if deployment.target == "docker":
        written["module.yaml"] = deployment.module
        written[_configuration_file(deployment)] = as_yaml(flink_configuration(deployment))
    return dict(sorted(written.items()))


def _templates(deployment: Deployment) -> Iterator[tuple[str, Template]]:
    root = files("statefun_runtime.flink").joinpath("template", deployment.target)
    for entry in root.iterdir():
        name = entry.name.removesuffix(_SUFFIX)
        needless = {
            *(() if deployment.functions else ("functions.Containerfile", "functions.yaml")),
            *(("storage.yaml",) if deployment.storage else ()),
        }
        if name not in needless:
            yield name, Template(entry.read_text(encoding="utf-8"))


def _values(deployment: Deployment) -> dict[str, str]:
    configuration = flink_configuration(deployment)
    return {
        "name": deployment.name,
        "base_image": deployment.base_image or BASE_IMAGES[deployment.flink],
        "flink": deployment.flink,
        "flink_version": f"v{deployment.flink.replace('.', '_')}",
        "job_class": JOB_CLASS,
        "parallelism": str(deployment.parallelism),
        "module_directory": module_directory(deployment),
        "module": indent(deployment.module.rstrip("\n"), "    "),
        "configuration_file": _configuration_file(deployment),
        "configuration": indent(yaml.safe_dump(configuration, sort_keys=False, width=1000).rstrip("\n"), "    "),
        "functions": deployment.functions or "",
        "port": str(FUNCTIONS_PORT),
        "job_manager_memory": _JOB_MANAGER_MEMORY,
        "task_manager_memory": _TASK_MANAGER_MEMORY,
        "application": deployment.application,
        "out": deployment.out,
        "install": _INSTALL if deployment.requirements else "",
        "functions_service": _FUNCTIONS_SERVICE.substitute(_paths(deployment)) if deployment.functions else "",
        "state_volume": _VOLUME.substitute(name=deployment.name) if deployment.storage is None else "",
        "state_mount": _MOUNT if deployment.storage is None else "",
        "storage": deployment.storage or "the volume that storage.yaml asks for",
    }


def _paths(deployment: Deployment) -> dict[str, str]:
    return {
        "application": deployment.application,
        "functions_file": str(Path(deployment.out, "functions.Containerfile")),
    }


def _configuration_file(deployment: Deployment) -> str:
    return "flink-conf.yaml" if deployment.flink == "1.16" else "config.yaml"


_INSTALL = """\
USER root
RUN /opt/statefun/bin/pip install --no-cache-dir -r requirements.txt
USER statefun
"""
_FUNCTIONS_SERVICE = Template("""\
  functions:
    build:
      context: $application
      dockerfile: $functions_file
    restart: unless-stopped
""")
_VOLUME = Template("""
        - name: state
          persistentVolumeClaim:
            claimName: $name-state""")
_MOUNT = """
            - name: state
              mountPath: /state"""
