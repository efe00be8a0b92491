"""Strategies for protobuf encodings that no encoder writes but every decoder must take."""

from typing import Any

from hypothesis import strategies as st

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_VARINT_BYTES = 10


def varint(number: int, padding: int = 0) -> bytes:
    """A varint with `padding` bytes more than it needs."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    for _ in range(min(padding, MAX_VARINT_BYTES - len(data))):
        data[-1] |= 0x80
        data.append(0)
    return bytes(data)


PADDING = st.sampled_from([0, 0, 0, 1, 2])


@st.composite
def field(draw: st.DrawFn, number: int, wire_type: int, content: Any = None) -> bytes:
    """One field with any content, or the given one; its varints may be longer than needed."""
    tag_padding = draw(st.sampled_from([0, 0, 0, 1]))
    tag = varint(number << 3 | wire_type, tag_padding)
    if wire_type == VARINT:
        return tag + varint(draw(st.integers(0, 2**64 - 1) if content is None else content), draw(PADDING))
    if wire_type == BYTES:
        data: bytes = draw(st.binary(max_size=300) if content is None else content)
        return tag + varint(len(data), draw(st.sampled_from([0, 0, 0, 1]))) + data
    size = 8 if wire_type == FIXED64 else 4
    fixed: bytes = draw(st.binary(min_size=size, max_size=size))
    return tag + fixed


def unknown_fields(above: int) -> st.SearchStrategy[bytes]:
    """A field with a number from `above` on."""
    return st.builds(
        lambda number, wire_type: (number, wire_type),
        st.integers(above, above + 100),
        st.sampled_from([VARINT, FIXED64, BYTES, FIXED32]),
    ).flatmap(lambda parts: field(*parts))
