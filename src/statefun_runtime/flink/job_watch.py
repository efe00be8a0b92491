"""Tells in plain words what becomes of a job."""

import time
from collections.abc import Callable

from statefun_runtime.flink.rest import FlinkRest, Job, NoAnswerError, root_cause

_WORDS = {
    "RESTARTING": "the job failed and will be started again",
    "FAILED": "the job failed for good",
    "FINISHED": "the job has ended",
    "CANCELED": "the job was cancelled",
}


class JobWatch:
    """Looks at the one job of a cluster; `job` is what it saw last."""

    def __init__(self, rest: FlinkRest, report: Callable[[str], None]) -> None:
        self.job: Job | None = None
        self._rest = rest
        self._report = report
        self._started = time.monotonic()
        self._ran = False
        self._told_until = 0
        self._told = ""

    def look(self) -> None:
        """Look once, and report what is new. Nothing is new while nobody answers. Raises FlinkError."""
        try:
            jobs = self._rest.jobs()
            if jobs:
                self._compare(jobs[0])
                self._tell_failures(jobs[0].id)
        except NoAnswerError:
            return

    def _compare(self, job: Job) -> None:
        before, self.job = self.job, job
        if job.all_run and not self._ran:
            self._ran = True
            self._report(f"the job runs, {time.monotonic() - self._started:.1f} s after the start; {self._rest.url}")
        elif job.state in _WORDS and (before is None or job.state != before.state):
            self._ran = False
            self._report(_WORDS[job.state])

    def _tell_failures(self, job: str) -> None:
        """Tell each failure once, and one that comes again and again by a few words."""
        for at, stack_trace in self._rest.failures(job):
            if at > self._told_until:
                self._told_until = at
                cause = root_cause(stack_trace)
                self._report("failed: the same again" if cause == self._told else f"failed: {cause}")
                self._told = cause
