"""The configuration of Apache Flink 1.16 with which the project's tests run it: local runs and deployments share it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

StateBackend: TypeAlias = Literal["hashmap", "rocksdb"]

JOB_CLASS = "org.apache.flink.statefun.flink.core.StatefulFunctionsJob"
"""The main class of every application of Stateful Functions."""

_OPENED = (
    "java.lang java.lang.reflect java.util java.util.concurrent java.util.concurrent.atomic java.util.concurrent.locks "
    "java.net java.io java.nio java.text java.time sun.nio.ch sun.net.util"
)
JAVA_OPTIONS = tuple(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED.split())
"""What Flink 1.16 needs of Java 17 and newer: its serializers look into these packages."""

_FOREVER = "2147483647"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """What differs between two applications. Places are URIs; times are milliseconds."""

    module: str
    """Where every process of the cluster finds the module file."""
    checkpoints: str
    """Directory of the checkpoints, which every process must reach."""
    savepoints: str
    name: str = "statefun"
    parallelism: int = 1
    checkpoint_interval: int = 1000
    state_backend: StateBackend = "hashmap"
    from_savepoint: str | None = None


def job_configuration(settings: JobSettings) -> dict[str, str]:
    """What a job needs wherever it runs.

    The first block is mandatory for Stateful Functions; without an interval there would be no checkpoint at all, and
    with Flink's own buffer timeout every message would wait up to 100 ms.
    """
    return {
        "classloader.parent-first-patterns.additional": (
            "org.apache.flink.statefun;org.apache.kafka;com.google.protobuf"
        ),
        "execution.checkpointing.max-concurrent-checkpoints": "1",
        "execution.checkpointing.unaligned": "false",
        "state.backend.rocksdb.timer-service.factory": "ROCKSDB",
        "pipeline.auto-generate-uids": "false",
        "statefun.flink-job-name": settings.name,
        "statefun.remote.module-name": settings.module,
        "parallelism.default": str(settings.parallelism),
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.interval": f"{settings.checkpoint_interval} ms",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.buffer-timeout": "1 ms",
        "state.backend": settings.state_backend,
        "state.backend.incremental": str(settings.state_backend == "rocksdb").lower(),
        "state.checkpoints.dir": settings.checkpoints,
        "state.savepoints.dir": settings.savepoints,
        "restart-strategy": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": _FOREVER,
        "restart-strategy.fixed-delay.delay": "1 s",
        "execution.savepoint.ignore-unclaimed-state": "true",
        **({"execution.savepoint.path": settings.from_savepoint} if settings.from_savepoint else {}),
    }


def local_configuration(settings: JobSettings, rest_port: int) -> dict[str, str]:
    """A job in one JVM (Flink's MiniCluster) whose REST interface listens on a port of loopback."""
    loopback = _loopback(rest_port, slots=settings.parallelism)
    return {**job_configuration(settings), **loopback, "execution.target": "local"}


def cluster_configuration(
    settings: JobSettings, rest_port: int, rpc_port: int, task_managers: int = 1
) -> dict[str, str]:
    """A job on a JobManager and TaskManagers, processes of this machine that talk over loopback.

    The TaskManagers share the configuration: each has as many slots as all need to hold the job. One that no script
    of Flink's starts must be told all its resources. The times, in milliseconds, make the processes find each other
    in half a second instead of several.
    """
    slots = -(-settings.parallelism // task_managers)
    return {
        **job_configuration(settings),
        **_loopback(rest_port, slots),
        "execution.target": "remote",
        "execution.attached": "false",
        "jobmanager.rpc.address": "127.0.0.1",
        "jobmanager.rpc.port": str(rpc_port),
        "taskmanager.host": "127.0.0.1",
        "taskmanager.cpu.cores": str(slots),
        "taskmanager.memory.framework.heap.size": "128 mb",
        "taskmanager.memory.framework.off-heap.size": "128 mb",
        "taskmanager.memory.jvm-metaspace.size": "256 mb",
        "taskmanager.memory.jvm-overhead.min": "192 mb",
        "taskmanager.memory.jvm-overhead.max": "192 mb",
        "taskmanager.memory.task.heap.size": "512 mb",
        "taskmanager.memory.task.off-heap.size": "0",
        "taskmanager.memory.network.min": "64 mb",
        "taskmanager.memory.network.max": "64 mb",
        "taskmanager.memory.managed.size": "256 mb",
        "cluster.registration.error-delay": "300",
        "cluster.registration.initial-timeout": "300",
        "rest.retry.delay": "500",
        "rest.retry.max-attempts": "600",
    }


def as_yaml(configuration: Mapping[str, str]) -> str:
    """The text of a flink-conf.yaml: Flink 1.16 reads it line by line and takes a value as it stands."""
    return "".join(f"{key}: {value}\n" for key, value in configuration.items())


def _loopback(rest_port: int, slots: int) -> dict[str, str]:
    return {
        "taskmanager.numberOfTaskSlots": str(slots),
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "jobmanager.bind-host": "127.0.0.1",
        "taskmanager.bind-host": "127.0.0.1",
        "rest.port": str(rest_port),
        "web.submit.enable": "false",
        "web.cancel.enable": "false",
    }
