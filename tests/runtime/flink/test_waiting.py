from statefun_runtime.flink.rest import FlinkRest
from statefun_runtime.flink.waiting import Patience, wait_for_savepoint
from tests.runtime.flink.flink_server import JOB, PLACE, REQUEST, FlinkAnswers, flink_server


def test_who_waits_is_told_that_it_goes_on() -> None:
    flink, told = FlinkAnswers(), list[str]()
    flink.in_progress = 3
    with flink_server(flink) as url:
        patience = Patience(limit=30, ask_every=0.001, tell_every=0)
        assert wait_for_savepoint(FlinkRest(url), JOB, REQUEST, patience, told.append) == PLACE
    assert told == ["the savepoint is being made, 0 s so far"] * 3
