"""A result folder's events go to other programs with the size and the scale of their movie; a bare table with what it tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from typer.testing import CliRunner

from napari_tap_events.cli import app
from napari_tap_events.cli.results import export
from napari_tap_events.errors import OutputError
from napari_tap_events.events.exports import FORMATS
from napari_tap_events.events.table import EventRow, events_table, read_events, write_events
from napari_tap_events.study.exporting import export_from

Change = Callable[[Callable[[dict[str, Any]], None]], None]


def image(path: Path) -> dict[str, str]:
    found = ET.parse(path).getroot().find("Settings/ImageData")  # noqa: S314
    assert found is not None
    return found.attrib


def test_a_folder_tells_where_the_movie_is_and_how_large(result_folder: Path, tmp_path: Path) -> None:
    many = export_from(result_folder, tmp_path / "a.xml", "trackmate")
    assert many == len(read_events(result_folder / "events.csv"))
    told = image(tmp_path / "a.xml")
    assert Path(told["folder"], told["filename"]) == result_folder / "movie.tif"
    assert (told["width"], told["nframes"], told["pixelwidth"], told["timeinterval"]) == ("96", "24", "0.65", "900")


def test_a_table_alone_tells_its_scale(tmp_path: Path) -> None:
    table = write_events(tmp_path / "events.csv", events_table([EventRow(4, 10, 20)], 300.0, 0.5))
    assert export_from(table, tmp_path / "a.xml", "trackmate") == 1
    assert (image(tmp_path / "a.xml")["pixelwidth"], image(tmp_path / "a.xml")["filename"]) == ("0.5", "")


def test_of_several_movies_the_one_of_the_folder_is_meant(result_folder: Path, tmp_path: Path) -> None:
    mixed = events_table([EventRow(3, 4, 4), EventRow(9, 5, 5)]).assign(movie=["blobs <em>", "another"])
    write_events(result_folder / "events.csv", mixed)
    assert export_from(result_folder, tmp_path / "a.xml", "trackmate") == 1
    assert export_from(result_folder, tmp_path / "a.csv", "csv") == 2
    both = pd.read_csv(tmp_path / "a.csv")
    assert set(both["movie"]) == {"blobs <em>", "another"}
    assert "t_s" not in both, "movies may differ in scale"


def test_a_folder_without_events_is_refused(result_folder: Path, tmp_path: Path, change: Change) -> None:
    change(lambda card: card["files"].pop("events"))
    with pytest.raises(OutputError, match="holds no events"):
        export_from(result_folder, tmp_path / "a.csv", "csv")


def test_the_command_writes_every_format_and_says_how_many_events(result_folder: Path, tmp_path: Path) -> None:
    many = len(read_events(result_folder / "events.csv"))
    for form in FORMATS:
        done = CliRunner().invoke(app, ["export", str(result_folder), "--format", form, "--out", str(tmp_path / form)])
        assert done.exit_code == 0
        assert f"Wrote {many} events to " in done.output
        assert (tmp_path / form).exists()


def test_the_command_knows_the_formats_there_are() -> None:
    assert get_args(get_type_hints(export)["form"]) == tuple(FORMATS)
