from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from statefun_runtime.metrics import EngineSnapshot, FunctionSnapshot, Histogram, Metrics

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = metrics.exposition().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    return found[f"statefun_{name}", frozenset(labels.items())]


def test_a_histogram_counts_up_to_and_including_each_bound() -> None:
    histogram = Histogram((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 2.0):
        histogram.observe(seconds)
    assert histogram.cumulative() == [("0.1", 2), ("1.0", 3), ("+Inf", 4)]
    assert histogram.count == 4
    assert histogram.total == 2.65


def test_the_figures_of_a_function_carry_its_typename() -> None:
    function = FunctionSnapshot(
        received=1, sent_local=2, sent_remote=3, sent_egress=4, blocked=5, in_flight=6, backlog=7, failures=8
    )
    function.latency.observe(0.02)
    found = samples(Metrics(lambda: EngineSnapshot(functions={"test/a": function, "test/b": FunctionSnapshot()})))
    names = (
        "in_total out_local_total out_remote_total out_egress_total num_blocked_address inflight_async_ops num_backlog "
        "remote_invocation_failures_total remote_invocation_latency_seconds_count"
    )
    assert [value(found, name, function="test/a") for name in names.split()] == [1, 2, 3, 4, 5, 6, 7, 8, 1]
    assert [value(found, name, function="test/b") for name in names.split()] == [0] * 9
    assert value(found, "remote_invocation_latency_seconds_bucket", function="test/a", le="0.01") == 0
    assert value(found, "remote_invocation_latency_seconds_bucket", function="test/a", le="0.025") == 1
    assert value(found, "remote_invocation_latency_seconds_sum", function="test/a") == 0.02


def test_each_scrape_reads_the_figures_anew() -> None:
    snapshot = EngineSnapshot(epochs=1, epoch_rows=2, pending_messages=3, delayed_messages=4, addresses_in_memory=5)
    metrics = Metrics(lambda: snapshot)
    names = ["epochs_total", "epoch_rows_total", "pending_messages", "delayed_messages", "addresses_in_memory"]
    assert [value(samples(metrics), name) for name in names] == [1, 2, 3, 4, 5]
    snapshot.epochs = 9
    snapshot.commit.observe(0.003)
    found = samples(metrics)
    assert (value(found, "epochs_total"), value(found, "commit_seconds_count")) == (9, 1)


def test_dead_letters_are_counted_by_where_they_were_to_go() -> None:
    found = samples(Metrics(lambda: EngineSnapshot(dead_letters={"test/f": 3, "test/egress": 1})))
    assert value(found, "dead_letters_total", destination="test/f") == 3
    assert value(found, "dead_letters_total", destination="test/egress") == 1


def test_records_are_counted_by_ingress_and_egress() -> None:
    metrics = Metrics(EngineSnapshot)
    metrics.ingress("test/in").records += 2
    metrics.ingress("test/in").rejected += 1
    metrics.egress("test/out").records += 3
    found = samples(metrics)
    assert value(found, "ingress_records_total", ingress="test/in") == 2
    assert value(found, "ingress_rejected_records_total", ingress="test/in") == 1
    assert value(found, "egress_records_total", egress="test/out") == 3
    assert value(found, "egress_rejected_records_total", egress="test/out") == 0


def test_connections_are_told_of_those_who_have_one() -> None:
    metrics = Metrics(EngineSnapshot)
    metrics.ingress("test/file")
    ingress, egress = metrics.ingress("test/in").connection, metrics.egress("test/out").connection
    ingress.works("brokers")
    ingress.lag = {"a/0": 7}
    egress.failed("brokers", "no broker can be reached")
    found = samples(metrics)
    assert value(found, "ingress_connected", ingress="test/in") == 1
    assert value(found, "ingress_connection_errors_total", ingress="test/in") == 0
    assert value(found, "ingress_lag_records", ingress="test/in", partition="a/0") == 7
    assert value(found, "egress_connected", egress="test/out") == 0
    assert value(found, "egress_connection_errors_total", egress="test/out") == 1
    assert ("statefun_ingress_connected", frozenset({("ingress", "test/file")})) not in found


def test_two_runtimes_in_one_process_share_nothing() -> None:
    first, second = Metrics(EngineSnapshot), Metrics(EngineSnapshot)
    first.ingress("test/in").records += 1
    assert b"test/in" not in second.exposition()


def test_every_metric_is_documented() -> None:
    documented = DOCS.read_text()
    families = list(text_string_to_metric_families(Metrics(EngineSnapshot).exposition().decode()))
    assert len(families) > 15
    for family in families:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert f"`{name}`" in documented, f"{name} is missing in {DOCS.name}"
