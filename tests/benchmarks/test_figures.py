"""The table of the benchmarks: what is measured, what is wanted, and what could not be had."""

from benchmarks.chart import chart
from benchmarks.figures import OURS, Figure, Outcome, Plan, Row, Target, table

RATE = "invocations/s"


def row(*targets: Target) -> Row:
    return Row("work", "some work", lambda plan: (), targets)


def lines(outcome: Outcome) -> list[str]:
    return [" ".join(line.split()) for line in table([outcome])]


def test_a_figure_shows_the_least_the_median_and_the_most() -> None:
    outcome = Outcome(row(), [Figure(OURS, RATE, (3000.0, 1000.0, 1500.0))])
    assert lines(outcome)[2] == "statefun invocations/s 1,000 1,500 3,000"


def test_a_target_is_met_by_the_median() -> None:
    figures = [Figure(OURS, RATE, (1.0, 10.0, 12.0))]
    assert Target(RATE, at_least=10).is_met(figures) is True
    assert Target(RATE, at_least=11).is_met(figures) is False
    assert Target(RATE, at_most=10).is_met(figures) is True
    assert Target(RATE, at_most=9).is_met(figures) is False


def test_a_target_beside_a_peer_compares_round_by_round() -> None:
    figures = [Figure(OURS, RATE, (30.0,)), Figure("peer", RATE, (10.0,))]
    assert Target(RATE, at_least=3, beside="peer").is_met(figures) is True
    assert Target(RATE, at_least=3.1, beside="peer").is_met(figures) is False


def test_what_slows_a_round_down_does_not_change_the_ratio() -> None:
    figures = [Figure(OURS, RATE, (30.0, 3.0, 33.0)), Figure("peer", RATE, (10.0, 1.0, 11.0))]
    assert Target(RATE, at_least=3, beside="peer").value(figures) == 3


def test_a_target_beside_a_peer_that_is_missing_is_unmet_and_says_so() -> None:
    target = Target(RATE, at_least=3, beside="peer")
    outcome = Outcome(row(target), [Figure(OURS, RATE, (30.0,))], problem="peer: cannot be installed")
    assert target.is_met(outcome.figures) is None
    assert lines(outcome)[-3:] == [
        "not measured: peer: cannot be installed",
        "UNMET statefun, invocations/s beside peer: >= 3 times wanted, not measured",
        "",
    ]


def test_the_chart_has_a_bar_for_each_target_that_was_measured() -> None:
    measured = Outcome(row(Target(RATE, at_least=10)), [Figure(OURS, RATE, (30.0,))])
    missing = Outcome(row(Target(RATE, at_least=10)), problem="no <reason>")
    drawing = chart([measured, missing])
    assert drawing.count("<rect") == 1
    assert "30 (&gt;= 10)" in drawing


def test_a_quick_plan_measures_less_but_never_nothing() -> None:
    assert Plan(1, 0.2).size(100) == 20
    assert Plan(1, 0.2).size(1) == 1
