"""docs/reference/go-to-python.md names every concept of the Go SDK, each with a test that exists."""

import ast
import re
from functools import cache

from tests.repo.documents import TEST_REFERENCE, table_rows
from tests.repo.sources import ROOT

PAGE = "docs/reference/go-to-python.md"

GO_NAMES = """
TypeName ParseTypeName TypeNameFrom TypeNameFromParts GetNamespace GetType String
Address FunctionType Id
SimpleType GetTypeName Serialize Deserialize
BoolType Int32Type Int64Type Float32Type Float64Type StringType
MakeJsonType MakeProtobufType MakeProtobufTypeWithTypeName
ValueSpec Name ValueType Expiration ExpireAfterCall ExpireAfterWrite
AddressScopedStorage Get Set Remove
Message RawValue ValueTypeName
IsBool IsInt32 IsInt64 IsFloat32 IsFloat64 IsString Is AsBool AsInt32 AsInt64 AsFloat32 AsFloat64 AsString As
MessageBuilder Target Value ToMessage
Context Self Caller Send SendAfter SendAfterWithCancellationToken CancelDelayedMessage SendEgress Storage DeriveContext
CancellationToken NewCancellationToken Token
KafkaEgressBuilder KinesisEgressBuilder GenericEgressBuilder EgressBuilder
StatefulFunction StatefulFunctionPointer StatefulFunctionSpec States Function
StatefulFunctions StatefulFunctionsBuilder WithSpec AsHandler
RequestReplyHandler Invoke
""".split()  # noqa: SIM905  a line for each row of the page


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of the test functions of a file; none if there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def rows() -> list[str]:
    return list(table_rows(PAGE))


def test_every_go_name_has_a_row() -> None:
    code = {word for row in rows() for span in re.findall(r"`([^`]+)`", row) for word in re.findall(r"\w+", span)}
    assert [name for name in GO_NAMES if name not in code] == []


def test_every_row_names_a_test() -> None:
    assert rows()
    assert [row for row in rows() if not TEST_REFERENCE.search(row)] == []


def test_every_named_test_exists() -> None:
    named = [reference for row in rows() for reference in TEST_REFERENCE.findall(row)]
    assert [f"{path}::{name}" for path, name in named if name not in functions_of(path)] == []
