import json

import pytest

from statefun_runtime.cli.listing import print_rows


def listed(rows: list[int], *, as_json: bool = False, limit: int | None = None) -> None:
    print_rows(rows, str, lambda row: {"row": row}, as_json=as_json, empty="nothing", limit=limit)


def test_each_row_is_a_line_or_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    listed([1, 2])
    listed([1, 2], as_json=True)
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[:2] == ["1", "2"]
    assert [json.loads(line) for line in lines[2:]] == [{"row": 1}, {"row": 2}]
    assert not printed.err


def test_that_there_are_no_rows_is_told_to_people_alone(capsys: pytest.CaptureFixture[str]) -> None:
    listed([])
    assert capsys.readouterr() == ("", "nothing\n")
    listed([], as_json=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("as_json", [False, True])
def test_rows_beyond_the_limit_are_told_beside_the_output(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    listed([1, 2, 3], as_json=as_json, limit=2)
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    assert printed.err == "there are more than 2; show more with --limit\n"


def test_as_many_rows_as_the_limit_are_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    listed([1, 2], limit=2)
    assert capsys.readouterr().err == ""
