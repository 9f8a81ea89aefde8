"""Options that several commands share, handed to each of them as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
Option = Callable[[Any], Any]


def grouped(into: str, make: Callable[..., object], options: Mapping[str, Option]) -> Callable[[Function], Function]:
    """Give a command these options as one argument, ``into``.

    Args:
        make: gets what was typed, by the names of the options.
        options: in the order of the help.
    """

    def give(function: Function) -> Function:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            typed = {name: kwargs.pop(name) for name in options}
            return function(*args, **{into: make(**typed)}, **kwargs)

        wrapper.__name__ = function.__name__
        wrapper.__doc__ = function.__doc__
        chosen: Any = wrapper
        chosen.__click_params__ = list(getattr(function, "__click_params__", ()))
        for option in reversed(list(options.values())):
            chosen = option(chosen)
        return chosen  # type: ignore[no-any-return]

    return give
