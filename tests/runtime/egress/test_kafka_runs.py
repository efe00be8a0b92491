"""The runs of a data directory: whose epochs are whose, and whether Kafka has more than the directory."""

from statefun_runtime.egress.kafka_runs import Ahead, Runs
from statefun_runtime.interfaces import OutboxBatch


def batch(epoch: int, lineage: str = "a") -> OutboxBatch:
    return OutboxBatch(lineage, epoch, [])


def test_an_epoch_belongs_to_the_last_run_that_began_before_it() -> None:
    runs = Runs().begin("x", "a", 10).begin("y", "a", 20)
    assert [runs.key_of(batch(epoch)) for epoch in (10, 11, 20, 21)] == ["a", "a/x", "a/x", "a/y"]


def test_a_restored_outbox_keeps_the_runs_of_its_former_lineage() -> None:
    runs = Runs().begin("x", "a", 10).begin("y", "b", 20)
    assert runs.key_of(batch(15)) == "a/x"
    assert runs.key_of(batch(25, "b")) == "b/y"


def test_runs_are_forgotten_once_all_of_theirs_is_out() -> None:
    runs = Runs().begin("x", "a", 10).begin("y", "a", 20).begin("z", "a", 30)
    assert runs.since(batch(20)) == runs
    assert runs.since(batch(25)) == Runs().begin("y", "a", 20).begin("z", "a", 30)
    assert runs.since(batch(5)) == runs


def test_a_directory_with_all_that_is_out_is_not_behind() -> None:
    runs = Runs().begin("x", "a", 10).begin("y", "a", 20)
    assert runs.behind({}) is None
    assert runs.behind({"a": 10, "a/w": 7, "a/x": 20}) is None
    assert runs.behind({"a/y": 1000}) is None
    assert runs.behind({"before": 1000, "before/x": 1000}) is None


def test_a_directory_is_behind_if_its_original_went_on_in_the_run_in_which_it_was_copied() -> None:
    assert Runs().begin("x", "a", 10).begin("copy", "a", 20).behind({"a/x": 21}) == Ahead(20, 21)


def test_a_directory_is_behind_if_its_original_went_on_in_a_later_run() -> None:
    assert Runs().begin("x", "a", 10).begin("copy", "a", 20).behind({"a/x": 20, "a/later": 25}) == Ahead(10, 25)


def test_a_directory_of_which_runs_were_not_kept_yet_is_behind_what_went_on() -> None:
    assert Runs().begin("copy", "a", 20).behind({"a": 21}) == Ahead(20, 21)


def test_a_directory_stays_behind_however_far_it_goes_by_itself() -> None:
    first = Runs().begin("x", "a", 10).begin("copy", "a", 20)
    assert first.begin("again", "a", 500).behind({"a/x": 21}) == Ahead(20, 21)


def test_what_a_copy_made_by_itself_is_not_taken_for_what_its_original_sent() -> None:
    copy = Runs().begin("x", "a", 10).begin("copy", "a", 20)
    restored = copy.begin("restored", "b", 40)
    out = {"a/x": 33}
    assert restored.behind(out) is None
    assert restored.key_of(batch(20)) in out
    assert restored.key_of(batch(30)) not in out


def test_a_position_survives_its_encoding() -> None:
    runs = Runs(has_marker=True).begin("x", "a", 10).begin("y", "a", 20)
    assert Runs.decode(runs.encode()) == runs


def test_a_position_from_before_runs_has_none() -> None:
    assert Runs.decode(None) == Runs()
    assert Runs.decode(b'{"marker": true}') == Runs(has_marker=True)
