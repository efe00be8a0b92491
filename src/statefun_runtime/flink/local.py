"""An application on a Flink of this machine: function servers, Flink's processes, and their orderly end."""

import time
from collections.abc import Callable, Sequence
from threading import Event
from uuid import uuid4

from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.flink_process import FlinkProcess, Home
from statefun_runtime.flink.function_servers import FunctionServers
from statefun_runtime.flink.job_watch import JobWatch
from statefun_runtime.flink.rest import FlinkRest, NoAnswerError
from statefun_runtime.flink.savepoint_directory import SavepointDirectory

_LOOK_SECONDS = 0.25
_SAVEPOINT_SECONDS = 60.0


class LocalFlink:
    """What runs: Flink's processes, and the function servers if there are hosted functions."""

    def __init__(
        self,
        home: Home,
        url: str,
        processes: Sequence[FlinkProcess],
        servers: FunctionServers | None,
        report: Callable[[str], None],
    ) -> None:
        self._home = home
        self._rest = FlinkRest(url)
        self._processes = processes
        self._servers = servers
        self._report = report
        self._watch = JobWatch(self._rest, report)
        self._started = time.time()

    def run(self, stop: Event) -> None:
        """Watch until `stop`, then stop the job with a savepoint if it runs; or until somebody else stops it.

        Raises:
            FlinkError: A process failed.
        """
        while not stop.wait(_LOOK_SECONDS):
            self._watch.look()
            if self._stopped_elsewhere():
                self._report(f"the job was stopped from elsewhere. {self._how_to_go_on()}")
                return
            self._check_processes()
        self._stop_job()

    def _stopped_elsewhere(self) -> bool:
        """Whether the job ended in order: a MiniCluster ends with it by code 0, the processes of a cluster go on."""
        finished = self._watch.job is not None and self._watch.job.state == "FINISHED"
        return finished or any(process.failed() == 0 for process in self._processes)

    def _check_processes(self) -> None:
        code = self._servers.ended() if self._servers is not None else None
        if code is not None:
            raise FlinkError(f"a process that serves functions ended with code {code}; its words are above")
        for process in self._processes:
            if (code := process.failed()) is not None:
                raise FlinkError(
                    f"{process.name} ended with code {code}. The end of {process.log} and {process.out}:\n"
                    f"{process.tail()}\n{self._how_to_go_on()}"
                )

    def _stop_job(self) -> None:
        """End the job with a savepoint, and Flink with it, if it can."""
        self._watch.look()
        job = self._watch.job
        if job is None or not job.all_run:
            self._report(f"stopped without a savepoint, as the job does not run. {self._how_to_go_on()}")
            return
        try:
            place = self._savepoint(job.id)
        except FlinkError as error:
            self._report(f"stopped without a savepoint: {error}. {self._how_to_go_on()}")
            return
        self._report(f"stopped; to go on from here: --from-savepoint {place}")

    def _savepoint(self, job: str) -> str:
        self._report("stopping with a savepoint")
        where = self._home.savepoints.as_uri()
        directory = SavepointDirectory(where, job)
        request, accepted = uuid4().hex, False
        give_up = time.monotonic() + _SAVEPOINT_SECONDS
        while time.monotonic() < give_up:
            try:
                if not accepted:
                    self._rest.stop(job, where, request)
                    accepted = True
                place = self._rest.saved(job, request)
            except NoAnswerError:
                place = self._left_behind(directory)
            if place is not None:
                return place.removeprefix("file:")
            time.sleep(0.05)
        raise FlinkError(f"there is none after {_SAVEPOINT_SECONDS:.0f} s")

    def _left_behind(self, directory: SavepointDirectory) -> str | None:
        """The savepoint of a MiniCluster that has ended: it ends with its job, maybe before it was asked where.

        Raises:
            FlinkError: A process has ended otherwise.
        """
        ended = [(process, code) for process in self._processes if (code := process.failed()) is not None]
        for process, code in ended:
            made = directory.made() if code == 0 else None
            if made is None:
                raise FlinkError(f"{process.name} ended with code {code}; see {process.log}")
            return str(made)
        return None

    def _how_to_go_on(self) -> str:
        savepoint = self._home.newest_savepoint(self._started)
        if savepoint is not None and self._stopped_elsewhere():
            return f"To go on from its last savepoint here: --from-savepoint {savepoint}"
        checkpoint = self._home.newest_checkpoint(self._started)
        if checkpoint is None:
            return "There is no checkpoint of this run."
        return f"To go on from the last checkpoint: --from-savepoint {checkpoint}"
