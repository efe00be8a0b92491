import pytest

from statefun_runtime.suggestion import nearest_name


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("topcs", "topics"),
        ("Topics", "topics"),
        ("TOPICS", "topics"),
        ("adress", "address"),
        ("zzz", None),
        ("", None),
        ("topics" * 20, None),
    ],
)
def test_the_name_most_like_the_given_one_is_suggested(name: str, nearest: str | None) -> None:
    assert nearest_name(name, ["topics", "address", "id"]) == nearest


def test_nothing_is_suggested_when_nothing_is_known() -> None:
    assert nearest_name("topics", []) is None
