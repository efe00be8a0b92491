"""JSON types of dataclasses and pydantic models: instances are written, and the same instances are read."""

import json
import typing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import Enum, IntEnum
from typing import Any, Literal

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun import Context, Message, ValueSpec, make_json_type, message_builder
from tests.sdk.calls import call, typed


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


@dataclass(frozen=True)
class Point:
    x: int
    y: float = 0.0


@dataclass
class Shape:
    name: str
    corners: list[Point]
    centre: Point | None = None
    colour: Colour = Colour.RED
    size: Size = Size.SMALL
    tags: frozenset[str] = frozenset()
    labelled: dict[str, Point] = field(default_factory=dict[str, Point])
    by_number: dict[int, list[Point]] = field(default_factory=dict[int, list[Point]])
    edge: tuple[Point, str] | None = None
    ratios: tuple[float, ...] = ()
    closed: bool = True
    anything: Any = None
    kind: Literal["flat", "solid"] = "flat"
    untyped: list = field(default_factory=list)  # type: ignore[type-arg]
    old_style: typing.List = field(default_factory=list)  # type: ignore[type-arg]  # noqa: UP006
    inner: "Shape | None" = None


@dataclass
class Tree:
    value: int
    children: list["Tree"] = field(default_factory=list["Tree"])


class Line(pydantic.BaseModel):
    start: Point
    end: Point
    drawn: datetime | None = None
    colour: Colour = Colour.GREEN


class Drawing(pydantic.BaseModel):
    title: str
    lines: list[Line] = []


POINTS = st.builds(Point, st.integers(), st.floats(allow_nan=False))
SHAPES = st.builds(
    Shape,
    name=st.text(),
    corners=st.lists(POINTS, max_size=3),
    centre=st.none() | POINTS,
    colour=st.sampled_from(Colour),
    size=st.sampled_from(Size),
    tags=st.frozensets(st.text(max_size=3), max_size=3),
    labelled=st.dictionaries(st.text(max_size=3), POINTS, max_size=2),
    by_number=st.dictionaries(st.integers(), st.lists(POINTS, max_size=1), max_size=2),
    edge=st.none() | st.tuples(POINTS, st.text(max_size=3)),
    ratios=st.lists(st.floats(allow_nan=False), max_size=2).map(tuple),
    closed=st.booleans(),
    anything=st.none() | st.lists(st.integers() | st.text(max_size=3), max_size=2),
    kind=st.sampled_from(["flat", "solid"]),
    untyped=st.lists(st.integers(), max_size=2),
    old_style=st.lists(st.integers(), max_size=2),
    inner=st.none() | st.builds(Shape, name=st.text(), corners=st.just([])),
)
SHAPE = make_json_type("example/shape", Shape)
DRAWING = make_json_type("example/drawing", Drawing)


@given(shape=SHAPES)
def test_a_nested_dataclass_comes_back_as_it_was(shape: Shape) -> None:
    assert SHAPE.deserialize(SHAPE.serialize(shape)) == shape


@dataclass
class Flat:
    text: Any
    number: Any = 0
    more: Any = None


@dataclass
class WithLabel(Flat):
    label: str = "new"


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from(Size) | POINTS,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(value=st.builds(Flat, PLAIN, PLAIN, PLAIN) | st.builds(WithLabel, PLAIN, label=st.text(max_size=3)))
def test_a_dataclass_is_written_as_its_dict_of_copies_would_be(value: Flat) -> None:
    written = make_json_type("example/flat", Flat).serialize(value)
    assert written == json.dumps(asdict(value), ensure_ascii=False).encode()


@pytest.mark.parametrize("member", [{Point(1)}, b"bytes", object(), [object()], {"key": {Point(1)}}])
def test_a_member_that_json_does_not_know_is_refused_wherever_it_is(member: object) -> None:
    with pytest.raises(TypeError, match="cannot be JSON"):
        make_json_type("example/flat", Flat).serialize(Flat(member))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-le"])
def test_json_is_read_in_each_encoding_that_json_may_have(encoding: str) -> None:
    data = '{"text": "Zoë"}'.encode(encoding)
    assert make_json_type("example/flat", Flat).deserialize(data) == Flat("Zoë")
    assert make_json_type("example/json").deserialize(data) == {"text": "Zoë"}


def test_a_member_that_cannot_be_read_is_no_error_while_it_is_absent() -> None:
    @dataclass
    class Board:
        name: str
        cells: dict[tuple[int, int], str] | None = None

    assert make_json_type("example/board", Board).deserialize(b'{"name": "empty"}') == Board("empty")


def test_a_dataclass_is_written_as_a_plain_json_object_that_is_not_ascii_only() -> None:
    written = make_json_type("example/tree", Tree).serialize(Tree(1, [Tree(2)]))
    assert json.loads(written) == {"value": 1, "children": [{"value": 2, "children": []}]}
    assert "Zoë".encode() in SHAPE.serialize(Shape("Zoë", []))


def test_a_dataclass_that_contains_itself_comes_back() -> None:
    tree = Tree(1, [Tree(2, [Tree(3)]), Tree(4)])
    tpe = make_json_type("example/tree", Tree)
    assert tpe.deserialize(tpe.serialize(tree)) == tree


def test_members_may_be_left_out_or_unknown() -> None:
    tpe = make_json_type("example/point", Point)
    assert tpe.deserialize(b'{"x": 3, "z": "newer"}') == Point(3)


def test_a_whole_number_is_a_float_where_the_class_says_so() -> None:
    read = make_json_type("example/point", Point).deserialize(b'{"x": 3, "y": 4}')
    assert (read.y, type(read.y)) == (4.0, float)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"not json", "Expecting value"),
        (b"\xff", "utf-8"),
        (b"", "Expecting value"),
        (b"[1]", "expected a JSON object for a Shape"),
        (b"null", "expected a JSON object for a Shape"),
        (b'{"corners": []}', "lacks name"),
        (b"{}", "lacks corners, name"),
        (b'{"name": 3, "corners": []}', "a str, not 3"),
        (b'{"name": null, "corners": []}', "a str, not None"),
        (b'{"name": "", "corners": "abc"}', "a list, not 'abc'"),
        (b'{"name": "", "corners": [3]}', "expected a JSON object for a Point"),
        (b'{"name": "", "corners": [{"x": true}]}', "an? int, not True"),
        (b'{"name": "", "corners": [{"x": 1.5}]}', "an? int, not 1.5"),
        (b'{"name": "", "corners": [{"x": 1, "y": "2"}]}', "int or float, not '2'"),
        (b'{"name": "", "corners": [], "colour": "blue"}', "blue"),
        (b'{"name": "", "corners": [], "labelled": []}', r"a dict, not \[\]"),
        (b'{"name": "", "corners": [], "by_number": {"one": []}}', "one"),
        (b'{"name": "", "corners": [], "edge": [{"x": 1}]}', "shorter"),
        (b'{"name": "", "corners": [], "closed": 1}', "a bool, not 1"),
    ],
)
def test_json_that_does_not_fit_a_dataclass_is_an_error_that_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SHAPE.deserialize(data)


def test_a_pydantic_model_comes_back_as_it_was() -> None:
    moment = datetime.fromisoformat("2024-02-29T12:00:00+00:00")
    drawing = Drawing(title="Zoë", lines=[Line(start=Point(1), end=Point(2, 0.5), drawn=moment)])
    written = DRAWING.serialize(drawing)
    assert "Zoë".encode() in written
    assert json.loads(written)["lines"][0]["start"] == {"x": 1, "y": 0.0}
    read = DRAWING.deserialize(written)
    assert read == drawing
    assert type(read.lines[0]) is Line


@pytest.mark.parametrize(
    "data", [b"", b"not json", b"[]", b"{}", b'{"title": 3}', b'{"title": "", "lines": [{"start": {"x": "a"}}]}']
)
def test_json_that_does_not_fit_a_pydantic_model_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        DRAWING.deserialize(data)


@pytest.mark.parametrize("tpe", [SHAPE, DRAWING])
@pytest.mark.parametrize("value", [{"title": "plain"}, None, Point(1), Tree(1), "text"])
def test_a_value_of_another_class_is_refused_when_it_is_written(tpe: Any, value: object) -> None:
    with pytest.raises(TypeError, match=r"expected a (Shape|Drawing)"):
        tpe.serialize(value)


def test_a_member_that_cannot_be_json_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError, match="datetime"):
        SHAPE.serialize(Shape("now", [], anything=datetime.fromisoformat("2024-02-29")))


def test_a_dict_whose_keys_would_not_come_back_is_refused() -> None:
    @dataclass
    class Board:
        cells: dict[tuple[int, int], str]

    with pytest.raises(TypeError, match="tuple"):
        make_json_type("example/board", Board).deserialize(b'{"cells": {"1,2": "x"}}')


@pytest.mark.parametrize("cls", [int, dict, object, "Point", Point(1), Colour])
def test_a_class_that_is_neither_a_dataclass_nor_a_model_is_refused_at_once(cls: Any) -> None:
    with pytest.raises(TypeError, match="neither a dataclass nor a pydantic model"):
        make_json_type("example/other", cls)


@pytest.mark.parametrize(
    ("tpe", "value"), [(SHAPE, Shape("a", [Point(1)])), (DRAWING, Drawing(title="a"))], ids=["dataclass", "pydantic"]
)
def test_instances_travel_in_messages_and_state(tpe: Any, value: object) -> None:
    spec = ValueSpec("kept", tpe)

    def keeps(context: Context, message: Message) -> None:
        assert context.storage.get(spec) is None
        context.storage.set(spec, message.as_type(tpe))
        context.send(message_builder("example/next", "id", value=context.storage.kept, value_type=tpe))

    response = call(keeps, spec, messages=(typed(tpe, value),))
    assert tpe.deserialize(response.outgoing_messages[0].argument.value) == value
    assert tpe.deserialize(response.state_mutations[0].state_value.value) == value
