"""Short functions and files: the tail is what separates code one likes to read from the rest."""

from tests.repo.sources import Function, modules

FUNCTION_LINES = 60
FILE_LINES = 400
PARAMETERS = 6


def parameters(function: Function) -> int:
    """How many parameters callers give, so without `self` and `cls`."""
    given = function.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def test_no_file_is_over_400_lines() -> None:
    assert [module.path for module in modules() if module.text.count("\n") > FILE_LINES] == []


def test_no_function_is_over_60_lines() -> None:
    long = [
        f"{module.path}:{function.lineno} {function.name}"
        for module in modules()
        for function in module.functions()
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES
    ]
    assert long == []


def test_no_function_has_over_6_parameters() -> None:
    wide = [
        f"{module.path}:{function.lineno} {function.name}"
        for module in modules()
        for function in module.functions()
        if parameters(function) > PARAMETERS
    ]
    assert wide == []
