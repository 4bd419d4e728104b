"""Write docs/settings.md from the declarations of the settings, so that the page says what the program does.

Usage: python docs/settings_page.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from napari_tap_events import settings as declared
from napari_tap_events.settings import Settings, is_advanced, unit_of
from napari_tap_events.settings.games import GAMES

PAGE = Path(__file__).with_name("settings.md")
HEAD = """# Settings

This page is written by `python docs/settings_page.py` from the declarations in `src/napari_tap_events/settings/`; a test sees to it
that it is up to date.

A setting has one name everywhere: `crop_px` in a TOML file and in Python, `--crop-px` on the command line, "Crop" with the unit px in
the window. In the window and on the command line the advanced ones are apart from the others. "Not set" as a
default means that the program finds the value by itself, as the last column says.
"""
CLASSES = {
    "MovieSettings": "every command that is given a movie; step 1 of the Workbench.",
    "ComputeSettings": "`pretrain`, `train`, `detect`, `explain`, `review`, `study`, `demo`; steps 3 to 6 of the Workbench.",
    "PretrainSettings": "`pretrain`; step 3 of the Workbench.",
    "AdoptSettings": "`adopt`.",
    "HeadSettings": "`train`, `review`; steps 4 and 6 of the Workbench. `marks` takes those on what an event is and on the split.",
    "DetectSettings": "`detect`; step 5 of the Workbench.",
    "ExplainSettings": '`explain`; step 5 of the Workbench, under "Why?".',
    "ReviewSettings": "`review`; step 6 of the Workbench.",
    "SimulationSettings": "`review --simulate`.",
    "ScoreSettings": "`score`.",
    "StudySettings": "`study`.",
    "DemoSettings": "`demo`.",
    "SyntheticSettings": "`synth`.",
}
"""The settings that somebody gives, in the order in which they are met, and who takes them."""
GAMES_HEAD = """## Settings of games

Given as `game_settings`, `GAME.SETTING=VALUE`: `--game-settings order.mode=verify,order.gaps=1+2`, several numbers with `+`. Games that are
not here have none, or, `time_arrow` and `simulated`, have theirs under PretrainSettings.
"""


def page() -> str:
    """Return the whole page."""
    classes = (line for name, users in CLASSES.items() for line in _section(name, users))
    return "\n".join([HEAD, *classes, GAMES_HEAD, *(line for name in GAMES for line in _game(name))])


def _game(name: str) -> Iterator[str]:
    fields = GAMES[name].settings.declared()
    if fields:
        yield from _table(f"`{name}`", fields)


def _section(name: str, users: str) -> Iterator[str]:
    kind: type[Settings] = getattr(declared, name)
    fields = kind.declared()
    yield from (f"## {name}", "", f"{_about(kind)} Who takes them: {users}", "")
    yield from _table("", {name: field for name, field in fields.items() if not is_advanced(field)})
    yield from _table("Advanced", {name: field for name, field in fields.items() if is_advanced(field)})


def _about(kind: type[Settings]) -> str:
    return " ".join((kind.__doc__ or "").split())


def _table(title: str, fields: dict[str, FieldInfo]) -> Iterator[str]:
    if not fields:
        return
    yield from (f"**{title}**", "") if title else ()
    yield from ("| name | default | unit | allowed | |", "|---|---|---|---|---|")
    for name, field in fields.items():
        cells = (f"`{name}`", _default(field.default), unit_of(field) or "", _allowed(field), field.description or "")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _default(value: Any) -> str:
    if value is None or value == "":
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{','.join(map(str, value)) if isinstance(value, tuple) else value}`"


def _allowed(field: FieldInfo) -> str:
    """Return the words that can be chosen, else the limits, else what kind of value it is."""
    kind = next((part for part in _parts(field.annotation) if part is not type(None)), str)
    if get_origin(kind) is Literal:
        return " ".join(f"`{value}`" for value in get_args(kind))
    if kind is bool:
        return "yes, no"
    low, high = (next((getattr(one, end) for one in field.metadata if hasattr(one, end)), None) for end in ("ge", "le"))
    what = {int: "whole number", float: "number"}.get(kind, "numbers" if get_origin(kind) is tuple else "text")
    return " ".join([what, *([_limits(low, high)] if what != "text" else [])]).strip()


def _parts(annotation: Any) -> tuple[Any, ...]:
    """Return the members of `A | None`; of everything else itself."""
    return get_args(annotation) if type(None) in get_args(annotation) else (annotation,)


def _limits(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"from {low:g}" if low is not None else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
