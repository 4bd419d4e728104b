"""Write docs/command-line.md from the command line itself, so that the page says what `--help` says.

Usage: python docs/command_line.py
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from typer.models import ArgumentInfo

from napari_tap_events.cli import app

PAGE = Path(__file__).with_name("command-line.md")
HEAD = """# The command line

This page is written by `python docs/command_line.py` from the program's own help texts; a test sees to it that it is up to date.

- `napari-tap-events COMMAND --help` says the same in the terminal.
- Settings can also be given in a TOML file: `--settings FILE`, one `name = value` a line, with `_` where the flag has `-`.
  A flag that is given comes before the file, the file before the default.
- Ranges of frames are written `A:B` as in Python: counted from 0, A included, B not; `:60` and `60:` work, too.
- `--reports json` prints one JSON object a line on standard output, for other programs.
- Exit codes: 0 done; 2 something that you can put right, said in one sentence; 130 stopped by Ctrl-C; anything else is a fault of ours.
- Ctrl-C once stops after the current step. `pretrain`, `train`, `study` and `demo` then go on with `--resume`; `detect` and `explain`
  begin again with `--overwrite`. Ctrl-C twice stops at once.
"""


def page() -> str:
    """Return the whole page."""
    commands = [(command.name or command.callback.__name__, command.callback) for command in app.registered_commands]
    return "\n".join([HEAD, *(line for name, callback in commands for line in _section(name, callback))])


def _section(name: str, callback: Callable[..., Any]) -> Iterator[str]:
    given = inspect.signature(callback, eval_str=True).parameters.values()
    arguments = [one for one in given if isinstance(_info(one), ArgumentInfo)]
    options = [one for one in given if not isinstance(_info(one), ArgumentInfo)]
    needed = [f"{_flag(one)} {_value(one)}" for one in options if one.default is one.empty]
    usage = ["napari-tap-events", name, *(_flag(one) for one in arguments), *needed, *(["[OPTIONS]"] if options else [])]
    yield from (f"## {name}", "", (callback.__doc__ or "").strip(), "", "```", " ".join(usage), "```", "")
    yield from _table("", arguments)
    for panel in dict.fromkeys(_info(one).rich_help_panel for one in options):
        yield from _table(panel or "Options", [one for one in options if _info(one).rich_help_panel == panel])


def _table(title: str, given: list[inspect.Parameter]) -> Iterator[str]:
    if not given:
        return
    yield from (f"**{title}**", "") if title else ()
    yield from ("| | value | |", "|---|---|---|")
    for one in given:
        cells = (_code(_flag(one)), _code(_value(one)), _info(one).help or "")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _info(parameter: inspect.Parameter) -> Any:
    return parameter.annotation.__metadata__[0]


def _flag(parameter: inspect.Parameter) -> str:
    """Return the names of a flag; within Annotated typer keeps the first of them as `default`."""
    info = _info(parameter)
    if isinstance(info, ArgumentInfo):
        return str(info.metavar)
    return " / ".join(
        name for decl in (info.default, *(info.param_decls or ())) if isinstance(decl, str) for name in decl.split("/")
    )


def _value(parameter: inspect.Parameter) -> str:
    """Return what a flag is followed by; nothing for arguments, and for flags that are said or not said."""
    info, kind = _info(parameter), parameter.annotation.__origin__
    plain = next((part for part in get_args(kind) if part is not type(None)), kind) if type(None) in get_args(kind) else kind
    if isinstance(info, ArgumentInfo) or plain is bool:
        return ""
    if get_origin(plain) is Literal:
        return " ".join(str(value) for value in get_args(plain))
    if isinstance(plain, type) and issubclass(plain, Enum):
        return " ".join(str(one.value) for one in plain)
    return str(info.metavar or {int: "NUMBER", float: "NUMBER"}.get(plain, "TEXT"))


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
