"""Loads the functions that a user names as `module:attribute`.

It imports late, as few places do: what to import is an argument.
"""

import importlib
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType, TracebackType

from statefun import StatefulFunctions
from statefun_runtime.errors import ModuleError
from statefun_runtime.suggestion import nearest_name

_REFERENCE = re.compile(r"(?P<module>[^\W\d]\w*(\.[^\W\d]\w*)*):(?P<attribute>[^\W\d]\w*)")
_OURS = frozenset({__file__, importlib.__file__})


def is_reference(text: str) -> bool:
    """Whether `text` reads `module:attribute`, as `app:functions` and `shop.orders:functions` do."""
    return _REFERENCE.fullmatch(text) is not None


def load_functions(reference: str) -> StatefulFunctions:
    """The functions that `reference` names, looked for in the working directory first.

    Raises:
        ModuleError: They cannot be had; the text says why, with the traceback of the user's own code if that failed.
    """
    file, _, name_in_file = reference.rpartition(":")
    if file.endswith(".py"):
        dotted = ".".join(Path(file).with_suffix("").parts)
        raise ModuleError(f"{reference} names a file, it must name a module: {dotted}:{name_in_file}")
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise ModuleError(f"{reference!r} does not read module:attribute, as app:functions does")
    name, attribute = match["module"], match["attribute"]
    module = _import(name)
    if not hasattr(module, attribute):
        hint = _did_you_mean(attribute, _names_of_functions(module) or vars(module))
        raise ModuleError(f"{_place(module)} has no attribute {attribute!r}{hint}")
    found: object = getattr(module, attribute)
    if not isinstance(found, StatefulFunctions):
        others = ", ".join(f"{name}:{other}" for other in _names_of_functions(module))
        raise ModuleError(
            f"{reference} is {_described(found)}, it must be a StatefulFunctions"
            + (f"; these are: {others}" if others else "")
        )
    return found


def _import(name: str) -> ModuleType:
    directory = str(Path.cwd())
    if directory not in sys.path:
        sys.path.insert(0, directory)
    # A file that was written since an earlier import looked into its directory would not be seen.
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _failed_import(name, error) from error
        hint = _did_you_mean(error.name, [path.stem for path in Path(directory).glob("*.py")])
        raise ModuleError(
            f"there is no module {error.name!r} in {directory} nor installed{hint}; "
            "start the command in the directory of your application"
        ) from error
    except Exception as error:
        raise _failed_import(name, error) from error
    except SystemExit as error:
        raise _failed_import(name, error) from error


def _failed_import(name: str, error: BaseException) -> ModuleError:
    """The user's own error, with the frames of the user's own code."""
    lines = traceback.format_exception(type(error), error, _users_frames(error.__traceback__))
    return ModuleError(f"{name} cannot be imported, its code fails:\n{''.join(lines).rstrip()}")


def _users_frames(frames: TracebackType | None) -> TracebackType | None:
    while frames is not None and (
        frames.tb_frame.f_code.co_filename in _OURS or frames.tb_frame.f_code.co_filename.startswith("<frozen ")
    ):
        frames = frames.tb_next
    return frames


def _names_of_functions(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if isinstance(value, StatefulFunctions)]


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    nearest = nearest_name(name, known)
    return f' (did you mean "{nearest}"?)' if nearest else ""


def _place(module: ModuleType) -> str:
    return f"{module.__name__} ({module.__file__})" if module.__file__ else module.__name__


def _described(value: object) -> str:
    return f"the class {value.__qualname__}" if isinstance(value, type) else f"of type {type(value).__qualname__}"
