from statefun_runtime.flink.job_watch import JobWatch
from statefun_runtime.flink.rest import FlinkRest
from tests.runtime.flink.flink_answers import Answers, answering, failures, overview


def test_nothing_is_told_before_flink_answers() -> None:
    told: list[str] = []
    JobWatch(FlinkRest("http://127.0.0.1:1"), told.append).look()
    assert told == []


def test_a_life_of_a_job_is_told_once_each() -> None:
    told: list[str] = []
    answers: Answers = {"GET /jobs/overview": overview("RUNNING", 1), "GET /jobs/j/exceptions": failures()}
    with answering(answers) as url:
        watch = JobWatch(FlinkRest(url), told.append)
        watch.look()
        assert told == []
        for state, running, traces in [
            ("RUNNING", 3, ()),
            ("RUNNING", 3, ()),
            ("RESTARTING", 0, ("a.B: wrong",)),
            ("RUNNING", 3, ("a.B: wrong",)),
            ("RESTARTING", 0, ("a.B: wrong", "a.B: wrong")),
            ("FAILED", 0, ("a.B: wrong", "a.B: wrong", "a.C: worse")),
        ]:
            answers.update({"GET /jobs/overview": overview(state, running)})
            answers.update({"GET /jobs/j/exceptions": failures(*traces)})
            watch.look()
            watch.look()
    words = [text.partition(",")[0] for text in told]
    assert words == [
        "the job runs",
        "the job failed and will be started again",
        "failed: wrong (B)",
        "the job runs",
        "the job failed and will be started again",
        "failed: the same again",
        "the job failed for good",
        "failed: worse (C)",
    ]
