"""What is to be known of a job that runs somewhere: its state, its failures, its checkpoints."""

from dataclasses import dataclass
from typing import Any

from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.rest import FlinkRest, root_cause

ENDED = frozenset({"FINISHED", "CANCELED", "FAILED"})
"""Flink's words for a job that will not run again."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A checkpoint or savepoint that is complete. `at` is milliseconds since 1970, `size` bytes, `duration` ms."""

    at: int
    path: str
    size: int
    duration: int


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One job. `state` is Flink's word; times are milliseconds, `started` since 1970.

    `failure` is the root cause of the newest failure, `None` if it never failed; `failed_at` is when.
    """

    id: str
    name: str
    state: str
    started: int
    duration: int
    tasks: int
    running: int
    failure: str | None
    failed_at: int | None
    checkpoints: int
    failed_checkpoints: int
    checkpoint: Snapshot | None
    savepoint: Snapshot | None

    @property
    def runs(self) -> bool:
        """Whether all of its tasks run."""
        return self.state == "RUNNING" and self.running == self.tasks > 0


def job_statuses(rest: FlinkRest) -> list[JobStatus]:
    """All jobs of a cluster, those that have ended too, the newest first. Raises FlinkError."""
    overview = sorted(rest.get("/jobs/overview")["jobs"], key=lambda job: -job["start-time"])
    return [_status(rest, job) for job in overview]


def choose_job(jobs: list[JobStatus], wanted: str | None) -> JobStatus:
    """The job with the id `wanted`, or the only one that has not ended.

    Raises:
        FlinkError: There is no such job, or more than one.
    """
    chosen = [job for job in jobs if (job.state not in ENDED if wanted is None else job.id == wanted)]
    if len(chosen) == 1:
        return chosen[0]
    listed = ", ".join(f"{job.id} ({job.state.lower()})" for job in chosen or jobs) or "none"
    if chosen:
        raise FlinkError(f"several jobs run; choose one by --job: {listed}")
    what = "no job runs" if wanted is None else f"there is no job {wanted}"
    raise FlinkError(f"{what}; there are: {listed}")


def _status(rest: FlinkRest, job: Any) -> JobStatus:
    checkpoints = rest.get(f"/jobs/{job['jid']}/checkpoints")
    failed_at, trace = max(rest.failures(job["jid"]), default=(None, None))
    return JobStatus(
        id=job["jid"],
        name=job["name"],
        state=job["state"],
        started=job["start-time"],
        duration=job["duration"],
        tasks=job["tasks"]["total"],
        running=job["tasks"]["running"],
        failure=None if trace is None else root_cause(trace),
        failed_at=failed_at,
        checkpoints=checkpoints["counts"]["completed"],
        failed_checkpoints=checkpoints["counts"]["failed"],
        checkpoint=_snapshot(checkpoints["latest"]["completed"]),
        savepoint=_snapshot(checkpoints["latest"]["savepoint"]),
    )


def _snapshot(described: Any) -> Snapshot | None:
    if described is None:
        return None
    return Snapshot(
        at=described["trigger_timestamp"],
        path=described["external_path"],
        size=described["state_size"],
        duration=described["end_to_end_duration"],
    )
