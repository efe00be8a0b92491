import pytest

from statefun_runtime.module.composer import MAX_DEPTH, MAX_NODES, compose
from statefun_runtime.module.node import MappingNode, SequenceNode, child, text_values

FILE = "module.yaml"


def values(text: str) -> object:
    """The one document of a text without problems."""
    documents, problems = compose(text, FILE)
    assert problems == []
    (document,) = documents
    return text_values(document)


def problem(text: str) -> tuple[int, int, str]:
    """Line, column and message of the one problem of a text."""
    _, problems = compose(text, FILE)
    (found,) = problems
    return found.line, found.column, found.message


def test_plain_scalars_keep_their_text_and_null_is_missing() -> None:
    assert values("{a: 1, b: no, c: ~, d: [~, 2], e: 'null', f: '', g: }") == {
        "a": "1",
        "b": "no",
        "d": [None, "2"],
        "e": "null",
        "f": "",
    }


def test_every_node_knows_its_line_and_column() -> None:
    documents, _ = compose("# comment\na:\n  - b: 1\n    c: [x, 'y']\n", FILE)
    root = documents[0]
    assert isinstance(root, MappingNode)
    assert root.position == (FILE, 2, 1)
    assert root.entries["a"].key == (FILE, 2, 1)
    items = child(root, "a")
    assert items is not None
    assert items.position == (FILE, 3, 3)
    entry = items.items[0].entries["c"]  # type: ignore[union-attr]
    assert entry.key == (FILE, 4, 5)
    assert isinstance(entry.value, SequenceNode)
    assert [item.position for item in entry.value.items] == [(FILE, 4, 9), (FILE, 4, 12)]


def test_anchors_and_aliases_repeat_a_value() -> None:
    assert values("a: &x {b: [1]}\nc: *x") == {"a": {"b": ["1"]}, "c": {"b": ["1"]}}


def test_merge_keys_bring_in_what_is_not_given() -> None:
    assert values("- &x {a: 1, b: 1}\n- &y {b: 2, c: 2}\n- {<<: *x, a: 3}\n- {<<: [*x, *y], d: 4}") == [
        {"a": "1", "b": "1"},
        {"b": "2", "c": "2"},
        {"a": "3", "b": "1"},
        {"a": "1", "b": "1", "c": "2", "d": "4"},
    ]


def test_only_mappings_can_be_merged() -> None:
    assert problem("{<<: [a], b: 1}") == (1, 7, "only mappings can be merged with <<")


def test_anchors_end_with_their_document() -> None:
    assert problem("a: &x 1\n---\nb: *x\n") == (3, 4, "found undefined alias *x")


def test_a_value_that_contains_itself_is_refused() -> None:
    assert problem("a: &x [*x]") == (1, 8, "found undefined alias *x")


def test_a_key_that_occurs_twice_is_a_problem_and_the_first_counts() -> None:
    documents, problems = compose("a: 1\nb: 2\na: 3\n", FILE)
    assert text_values(documents[0]) == {"a": "1", "b": "2"}
    assert [str(found) for found in problems] == ['module.yaml:3:1: error: the key "a" occurs twice; first in line 1']


def test_a_key_that_is_no_text_is_a_problem() -> None:
    assert problem("{[a]: 1}") == (1, 2, "a key must be a text")


def test_a_foreign_tag_is_a_problem_and_never_makes_an_object() -> None:
    assert problem("a: !!python/object/apply:os.system [ls]") == (
        1,
        4,
        "tags such as tag:yaml.org,2002:python/object/apply:os.system are not supported",
    )
    assert problem("a: !mine 1") == (1, 4, "tags such as !mine are not supported")


@pytest.mark.parametrize("tag", ["!!str", "!!int", "!!map {}", "!"])
def test_standard_tags_are_passed_over(tag: str) -> None:
    _, problems = compose(f"a: {tag}", FILE)
    assert problems == []


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("a: [1, 2", 1, 9, "is no YAML: while parsing a flow sequence"),
        ("a: b: c", 1, 5, "mapping values are not allowed here"),
        ("a: 1\n\tb: 2", 2, 1, "cannot start any token"),
        ("a: 'open", 1, 9, "while scanning a quoted scalar"),
        ("a: 1\nb: \x01", 2, 4, "special characters are not allowed"),
        ('a: "\\U00110000"', 1, 1, "too large"),
        ('a: "\\ud800"', 1, 4, "half of a surrogate pair"),
        ("%YAML 3.0\n---\na", 1, 1, "found incompatible YAML document"),
    ],
)
def test_what_is_no_yaml_is_a_problem_at_its_place(text: str, line: int, column: int, part: str) -> None:
    assert problem(text)[:2] == (line, column)
    assert part in problem(text)[2]


def test_documents_before_a_syntax_error_are_kept() -> None:
    documents, problems = compose("a: 1\n---\nb: [", FILE)
    assert [text_values(document) for document in documents] == [{"a": "1"}]
    assert len(problems) == 1


def test_a_billion_laughs_are_refused_before_they_unfold() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    line, _, message = problem("\n".join(lines))
    assert message == f"unfolds to more than {MAX_NODES} nodes"
    assert line < 8


def test_lists_nested_too_deep_are_refused() -> None:
    assert compose("[" * (MAX_DEPTH - 1) + "x" + "]" * (MAX_DEPTH - 1), FILE)[1] == []
    assert problem("[" * 100_000)[2] == f"is nested deeper than {MAX_DEPTH} levels"


def test_aliases_nested_too_deep_are_refused() -> None:
    deep = "[" * 30 + "x" + "]" * 30
    assert problem(f"- &a {deep}\n- {deep.replace('x', '*a')}")[2] == f"is nested deeper than {MAX_DEPTH} levels"


@pytest.mark.slow
def test_a_document_with_too_many_nodes_is_refused() -> None:
    assert problem("[" + "x," * (MAX_NODES + 1) + "]")[2] == f"unfolds to more than {MAX_NODES} nodes"
