import pytest

from statefun_runtime.flink.configuration import (
    JobSettings,
    as_yaml,
    cluster_configuration,
    job_configuration,
    local_configuration,
)

SETTINGS = JobSettings(module="file:///app/module.yaml", checkpoints="file:///c", savepoints="file:///s", parallelism=3)


def test_a_local_run_and_a_cluster_have_the_whole_configuration_of_a_job() -> None:
    job = job_configuration(SETTINGS).items()
    assert job <= local_configuration(SETTINGS, 1).items()
    assert job <= cluster_configuration(SETTINGS, 1, 2).items()


def test_every_local_listener_is_on_loopback_and_there_are_slots_for_the_parallelism() -> None:
    configuration = cluster_configuration(SETTINGS, 1, 2)
    for each in (configuration, local_configuration(SETTINGS, 1)):
        listeners = {name: value for name, value in each.items() if "host" in name or name.endswith("address")}
        assert {"rest.bind-address", "jobmanager.bind-host", "taskmanager.bind-host"} <= listeners.keys()
        assert set(listeners.values()) == {"127.0.0.1"}
    assert configuration["taskmanager.numberOfTaskSlots"] == configuration["parallelism.default"] == "3"


@pytest.mark.parametrize(("task_managers", "slots"), [(1, "3"), (2, "2"), (3, "1"), (4, "1")])
def test_task_managers_share_the_slots(task_managers: int, slots: str) -> None:
    configuration = cluster_configuration(SETTINGS, 1, 2, task_managers)
    assert configuration["taskmanager.numberOfTaskSlots"] == configuration["taskmanager.cpu.cores"] == slots


def test_only_rocksdb_makes_incremental_checkpoints() -> None:
    rocksdb = JobSettings(module="m", checkpoints="c", savepoints="s", state_backend="rocksdb")
    assert job_configuration(rocksdb)["state.backend.incremental"] == "true"
    assert job_configuration(SETTINGS)["state.backend.incremental"] == "false"


def test_a_savepoint_is_named_only_when_the_job_begins_from_one() -> None:
    restored = JobSettings(module="m", checkpoints="c", savepoints="s", from_savepoint="file:///s/1")
    assert job_configuration(restored)["execution.savepoint.path"] == "file:///s/1"
    assert "execution.savepoint.path" not in job_configuration(SETTINGS)


def test_the_file_has_a_line_for_each_setting() -> None:
    assert as_yaml({"a.b": "1 s", "c": "x;y"}) == "a.b: 1 s\nc: x;y\n"
