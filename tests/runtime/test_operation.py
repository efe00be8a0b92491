"""Operations and outcomes as JSON, which comes from outside."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.operation import MAX_TARGETS, Action, Operation, Outcome

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["action", "targets", "who", "target"]), inner),
)
operations = st.builds(
    Operation,
    st.sampled_from([Action.RESUME, Action.SKIP, Action.PURGE, Action.DISCARD]),
    st.lists(st.tuples(texts, texts), min_size=1, max_size=5).map(tuple),
    names,
) | st.builds(
    Operation,
    st.sampled_from([Action.RESEND, Action.DELETE]),
    st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5).map(tuple),
    names,
)


@given(operations)
def test_an_operation_comes_back_from_json_as_it_was(operation: Operation) -> None:
    assert Operation.from_json(json.loads(json.dumps(operation.as_json()))) == operation


@given(st.builds(Outcome, texts, st.booleans(), texts, st.booleans()))
def test_an_outcome_comes_back_from_json_as_it_was(outcome: Outcome) -> None:
    assert Outcome.from_json(json.loads(json.dumps(outcome.as_json()))) == outcome


@given(anything)
def test_whatever_is_no_operation_is_refused_with_a_reason(body: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        Operation.from_json(body)
    with pytest.raises(ValueError, match="an outcome is an object"):
        Outcome.from_json(body)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"action": "explode"}, "'explode' is not a valid Action"),
        ({"targets": []}, "1 to 1000"),
        ({"targets": [["test/f", "a"]] * (MAX_TARGETS + 1)}, "1 to 1000"),
        ({"targets": [17]}, "a list of typename and id"),
        ({"targets": [["test/f", 1]]}, "a list of typename and id"),
        ({"action": "delete"}, "by its number"),
        ({"action": "delete", "targets": [True]}, "by its number"),
        ({"action": "delete", "targets": [-1]}, "by its number"),
        ({"action": "delete", "targets": [1 << 63]}, "by its number"),
        ({"who": ""}, "who must be"),
        ({"who": "x" * 257}, "who must be"),
    ],
)
def test_a_part_that_is_wrong_is_named(changed: dict[str, object], reason: str) -> None:
    body = {"action": "skip", "targets": [["test/f", "a"]], "who": "ann"}
    assert Operation.from_json(body).targets == (("test/f", "a"),)
    with pytest.raises(ValueError, match=reason):
        Operation.from_json(body | changed)
