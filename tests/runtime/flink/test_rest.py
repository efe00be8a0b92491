import socket

import pytest

from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.rest import FlinkRest, Job, NoAnswerError, root_cause
from tests.runtime.flink.flink_answers import answering, failures, overview

TRACE = """\
org.apache.flink.statefun.flink.core.functions.StatefulFunctionInvocationException: An error occurred
\tat org.apache.flink.statefun.flink.core.functions.StatefulFunction.receive(StatefulFunction.java:50)
Caused by: java.lang.IllegalStateException: Failure forwarding a message
\tat org.apache.flink.statefun.flink.core.reqreply.RequestReplyFunction.onAsyncResult(RequestReplyFunction.java:196)
\t... 19 more
Caused by: java.util.concurrent.TimeoutException: no answer: 2 s
\tat java.lang.Thread.run(Thread.java:1583)
"""


def test_the_root_cause_is_the_innermost_one_with_its_message() -> None:
    assert root_cause(TRACE) == "no answer: 2 s (TimeoutException)"


def test_a_cause_without_a_message_is_its_name() -> None:
    assert root_cause("java.lang.NullPointerException\n\tat a.b(C.java:1)\n") == "java.lang.NullPointerException"


@pytest.mark.parametrize(("running", "all_run"), [(2, False), (3, True)])
def test_a_job_runs_when_all_its_tasks_do(running: int, all_run: bool) -> None:
    with answering({"GET /jobs/overview": overview("RUNNING", running)}) as url:
        assert FlinkRest(url).jobs() == [Job("j", "RUNNING", all_run)]


def test_failures_come_oldest_first() -> None:
    with answering({"GET /jobs/j/exceptions": failures("first", "second")}) as url:
        assert FlinkRest(url).failures("j") == [(1, "first"), (2, "second")]


def test_a_savepoint_is_asked_for_and_then_found() -> None:
    place = {"status": {"id": "COMPLETED"}, "operation": {"location": "file:/s/1"}}
    answers = {
        "POST /jobs/j/savepoints": (202, {"request-id": "r"}),
        "GET /jobs/j/savepoints/r": (200, {"status": {"id": "IN_PROGRESS"}}),
    }
    with answering(answers) as url:
        rest = FlinkRest(url)
        request = rest.savepoint("j", "file:///s")
        assert rest.saved("j", request) is None
        answers["GET /jobs/j/savepoints/r"] = (200, place)
        assert rest.saved("j", request) == "file:/s/1"


def test_a_savepoint_that_failed_says_why() -> None:
    failed = {"status": {"id": "COMPLETED"}, "operation": {"failure-cause": {"class": "X", "stack-trace": TRACE}}}
    with (
        answering({"GET /jobs/j/savepoints/r": (200, failed)}) as url,
        pytest.raises(FlinkError, match="no answer: 2 s"),
    ):
        FlinkRest(url).saved("j", "r")


def test_a_refusal_is_told_in_flinks_words() -> None:
    with (
        answering({"GET /jobs/j/exceptions": (404, {"errors": ["a.b.NotFoundException: Job j not found"]})}) as url,
        pytest.raises(FlinkError, match=r"answers 404: Job j not found \(NotFoundException\)"),
    ):
        FlinkRest(url).failures("j")


def test_nobody_at_the_address_is_an_error_of_its_own() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(NoAnswerError, match="nobody answers at"):
            FlinkRest(f"http://127.0.0.1:{unused.getsockname()[1]}").jobs()


def test_a_job_manager_that_is_still_starting_does_not_answer_yet() -> None:
    leaderless = {"errors": ["Service temporarily unavailable due to an ongoing leader election. Please refresh."]}
    with (
        answering({"GET /jobs/overview": (503, leaderless)}) as url,
        pytest.raises(NoAnswerError, match="leader election"),
    ):
        FlinkRest(url).jobs()
