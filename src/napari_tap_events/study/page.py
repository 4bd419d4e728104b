"""A page: headline, numbers, sections, methods, settings; one file that needs nothing else. Reports and studies are pages."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from napari_tap_events.errors import OutputError
from napari_tap_events.study import pictures
from napari_tap_events.study.pictures import Picture
from napari_tap_events.study.tables import Table
from napari_tap_events.study.words import Tile
from napari_tap_events.writing import all_or_nothing

REPORT = "report.html"


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes
    ----------
    name : str
        Its anchor.
    title : str
    lead : str
        How to read it.
    judged : bool
        Whether it shows scores: marked "leaks" where the split leaks.
    pictures, curves : tuple of Picture
        Frames side by side; curves.
    insets : tuple of (str, pictures)
        Rows of small pictures, each under its heading.
    tables : tuple of Table
    long_table : Table or None
        Folded away and scrolled.
    look : str
        Colours of the map in the pictures, if any.
    """

    name: str
    title: str
    lead: str = ""
    judged: bool = False
    pictures: tuple[Picture, ...] = ()
    curves: tuple[Picture, ...] = ()
    insets: tuple[tuple[str, tuple[Picture, ...]], ...] = ()
    tables: tuple[Table, ...] = ()
    long_table: Table | None = None
    look: str = ""


@dataclass(frozen=True)
class Page:
    """All that a page says.

    Attributes
    ----------
    name, command, created, headline : str
        What it is about, what made it and when, and the main result in a sentence.
    sections : tuple of Section
    tiles : tuple of Tile
        The few numbers that matter most.
    leaks : bool
        Every score on it comes from a split that leaks.
    warnings, notes : tuple of str
        What must be known before one believes it; what is not there.
    methods : str
    references : tuple of str
    settings : tuple of Table
    kinds : tuple of (kind, mark as SVG)
        Legend of the marks in pictures.
    """

    name: str
    command: str
    created: str
    headline: str
    sections: tuple[Section, ...]
    tiles: tuple[Tile, ...] = ()
    leaks: bool = False
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    methods: str = ""
    references: tuple[str, ...] = ()
    settings: tuple[Table, ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()


def put_page(folder: Path, page: Page) -> Path:
    """Write a page as `report.html` into a folder, all of it or nothing, and return its path.

    Raises
    ------
    OutputError
        When it cannot be written, or matplotlib or jinja2 is not installed.
    """
    path, text = folder / REPORT, _rendered(page)
    try:
        with all_or_nothing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"the report '{path}' cannot be written: {error.strerror or error}.") from None
    return path


def check_installed() -> None:
    """Refuse to begin a page that could not be drawn.

    Raises
    ------
    OutputError
        When matplotlib or jinja2 is not installed.
    """
    missing = [name for name in ("jinja2", "matplotlib") if find_spec(name) is None]
    if missing:
        raise OutputError(f"a report needs {' and '.join(missing)}: pip install napari-tap-events[report]")


def _rendered(page: Page) -> str:
    from jinja2 import Environment, StrictUndefined

    template = (files("napari_tap_events.study") / "report.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    bars = {look: pictures.colour_bar(look) for look in {section.look for section in page.sections if section.look}}
    told = {**vars(page), "created": page.created.replace("T", " ")[:16], "bars": bars}
    return environment.from_string(template).render(**told)
