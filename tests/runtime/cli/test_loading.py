import sys
from pathlib import Path

import pytest

from statefun import StatefulFunctions
from statefun_runtime.cli.loading import is_reference, load_functions
from statefun_runtime.errors import ModuleError

APP = "from statefun import StatefulFunctions\nfunctions = StatefulFunctions()\nnumber = 3\n"


@pytest.mark.parametrize("text", ["app:functions", "shop.orders:functions", "_a:_b"])
def test_module_and_attribute_are_a_reference(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize("text", ["module.yaml", "dir/app:functions", "app:", ":functions", "app", "3app:x", "a..b:x"])
def test_anything_else_is_no_reference(text: str) -> None:
    assert not is_reference(text)


def test_functions_are_loaded_from_the_working_directory(directory: Path) -> None:
    (directory / "app.py").write_text(APP)
    assert isinstance(load_functions("app:functions"), StatefulFunctions)
    assert load_functions("app:functions") is sys.modules["app"].functions


def test_functions_are_loaded_from_a_package(directory: Path) -> None:
    (directory / "shop").mkdir()
    (directory / "shop" / "orders.py").write_text(APP)
    assert isinstance(load_functions("shop.orders:functions"), StatefulFunctions)


def test_a_missing_module_is_told_with_the_nearest_file(directory: Path) -> None:
    (directory / "app.py").write_text(APP)
    with pytest.raises(ModuleError, match=r"no module 'apq' in .*did you mean \"app\""):
        load_functions("apq:functions")


def test_a_missing_attribute_is_told_with_the_nearest_name(directory: Path) -> None:
    (directory / "app.py").write_text(APP)
    with pytest.raises(ModuleError, match=r"no attribute 'function' \(did you mean \"functions\"\?\)"):
        load_functions("app:function")


def test_an_attribute_of_another_type_is_told_with_those_that_would_do(directory: Path) -> None:
    (directory / "app.py").write_text(APP)
    with pytest.raises(ModuleError, match=r"app:number is of type int, .* these are: app:functions"):
        load_functions("app:number")


def test_a_file_name_is_told_as_the_module_it_stands_for(directory: Path) -> None:
    with pytest.raises(ModuleError, match=r"it must name a module: shop\.app:functions"):
        load_functions("./shop/app.py:functions")


def test_text_without_an_attribute_is_refused(directory: Path) -> None:
    with pytest.raises(ModuleError, match="does not read module:attribute"):
        load_functions("app")


def test_an_error_of_the_users_code_is_shown_with_the_users_frames_alone(directory: Path) -> None:
    (directory / "helper.py").write_text("def fail():\n    return 1 / 0\n")
    (directory / "app.py").write_text("import helper\nhelper.fail()\n")
    with pytest.raises(ModuleError) as caught:
        load_functions("app:functions")
    text = str(caught.value)
    assert "app cannot be imported" in text
    assert "helper.fail()" in text
    assert text.endswith("ZeroDivisionError: division by zero")
    assert "importlib" not in text
    assert "loading.py" not in text


def test_a_module_that_the_users_code_misses_is_the_users_error(directory: Path) -> None:
    (directory / "app.py").write_text("import nowhere_to_be_found\n")
    with pytest.raises(ModuleError, match=r"(?s)app cannot be imported.*line 1.*No module named 'nowhere_to_be_found'"):
        load_functions("app:functions")


def test_a_syntax_error_is_shown_with_its_line(directory: Path) -> None:
    (directory / "app.py").write_text("functions = (\n")
    with pytest.raises(ModuleError, match=r"(?s)line 1.*SyntaxError"):
        load_functions("app:functions")


def test_an_application_that_exits_when_imported_does_not_end_the_command(directory: Path) -> None:
    (directory / "app.py").write_text("raise SystemExit(0)\n")
    with pytest.raises(ModuleError, match="SystemExit"):
        load_functions("app:functions")
