"""Settings become command-line flags: every parameter of a command that is a Settings class is spread out into options.

A flag that is not given leaves the value to the settings file, where there is one, and then to the declared default.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from napari_tap_events.settings import Settings, is_advanced, read_toml, second_flag, unit_of

FILE = "settings_file"
_FileOption = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="TOML file with settings; flags given here come before it.")
]


def spread(function: Callable[..., Any]) -> Callable[..., None]:
    """Return the function as a command: its parameters that are Settings are replaced by one option for each setting."""
    hints = get_type_hints(function, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if isinstance(kind, type) and issubclass(kind, Settings)}
    plain = [p.replace(annotation=hints[n]) for n, p in inspect.signature(function).parameters.items() if n not in groups]
    options = [_option(name, field) for kind in groups.values() for name, field in kind.declared().items()]
    from_file = inspect.Parameter(FILE, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_FileOption)

    def command(**given: Any) -> None:
        path = given.pop(FILE)
        values = {name: given.pop(name) for kind in groups.values() for name in kind.declared()}
        settings = {name: _settings(kind, values, path, groups) for name, kind in groups.items()}
        function(**given, **settings)

    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in plain] + options + [from_file]
    )
    command.__doc__ = function.__doc__
    command.__name__ = function.__name__
    return command


def _settings(kind: type[Settings], values: dict[str, Any], path: Path | None, groups: dict[str, type[Settings]]) -> Settings:
    known = {name for group in groups.values() for name in group.declared()}
    stored = read_toml(path, known) if path is not None else {}
    names = kind.declared()
    chosen = {name: value for name, value in stored.items() if name in names}
    chosen |= {name: _plain(names[name], values[name]) for name in names if values[name] is not None}
    return kind.checked(**chosen)


def _plain(field: FieldInfo, value: Any) -> Any:
    """Turn "1,2" into (1, 2) for settings that are lists."""
    if get_origin(field.annotation) is tuple and isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    unit = unit_of(field)
    shown = _shown(field.default)
    default = f"Default: {shown}." if shown else ""
    option = typer.Option(
        f"--{name.replace('_', '-')}"
        + (f"/--no-{name.replace('_', '-')}" if _optional(field.annotation) == bool | None else ""),
        *filter(None, [second_flag(field)]),
        help=" ".join(part for part in (field.description, f"In {unit}." if unit else "", default) if part),
        rich_help_panel="Advanced settings" if is_advanced(field) else "Settings",
        show_default=False,
    )
    annotation: Any = Annotated[_optional(field.annotation), option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _optional(annotation: Any) -> Any:
    """Return the type of a flag that may be left away."""
    if get_origin(annotation) is tuple:
        return str | None
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is Literal and all(isinstance(value, int) for value in get_args(annotation)):
        return int | None
    return annotation | None if isinstance(annotation, type) else Union[annotation, None]  # noqa: UP007


def _shown(default: Any) -> str:
    if default is PydanticUndefined:
        return ""
    if isinstance(default, tuple):
        return ",".join(str(part) for part in default)
    return "" if default is None or default == "" else str(default)
