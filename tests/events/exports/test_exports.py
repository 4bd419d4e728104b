"""What is exported: all of it or nothing, never over something else, and never two movies in one graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_tap_events.errors import OutputError
from napari_tap_events.events import exports
from napari_tap_events.events.exports import FORMATS, MovieFacts, export_events, facts_of_table
from napari_tap_events.events.table import EventRow, events_table, read_events


@pytest.fixture
def events() -> pd.DataFrame:
    rows = [EventRow(4, 10.5, 20, "division", 0.9, "head"), EventRow(7, 3, 6.25, "death", None, "person", "added")]
    return events_table([*rows, EventRow(1, 1, 1, "death", 0.2, "head", "rejected")], 600.0, 0.65)


def test_a_csv_comes_back_as_the_table_with_its_scale(tmp_path: Path, events: pd.DataFrame) -> None:
    plain = events.drop(columns=["t_s", "y_um", "x_um"])
    out = export_events(plain, tmp_path / "a.csv", "csv", MovieFacts(pixel_size_um=0.65, interval_s=600.0))
    pd.testing.assert_frame_equal(read_events(out), events)


def test_a_csv_of_a_registered_movie_tells_where_events_were_before(tmp_path: Path, events: pd.DataFrame) -> None:
    corners = np.stack([np.arange(8), -2 * np.arange(8)], axis=1)
    out = export_events(events, tmp_path / "a.csv", "csv", MovieFacts(corners=corners))
    told = pd.read_csv(out)
    assert told[["y_unregistered", "x_unregistered"]].to_numpy().tolist() == [[6.5, 28.0], [-4.0, 20.25], [0.0, 3.0]]
    assert told[["y", "x"]].to_numpy().tolist() == events[["y", "x"]].to_numpy().tolist()


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_there_is_replaced_only_when_told(tmp_path: Path, events: pd.DataFrame, form: str) -> None:
    out = export_events(events, tmp_path / f"new/a{FORMATS[form].suffix}", form)
    with pytest.raises(OutputError, match="is there already; choose another name"):
        export_events(events, out, form)
    assert export_events(events[:1], out, form, overwrite=True) == out
    assert [path.name for path in out.parent.iterdir()] == [out.name]


@pytest.mark.parametrize("form", FORMATS)
def test_a_folder_that_is_no_geff_is_never_removed(tmp_path: Path, events: pd.DataFrame, form: str) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years")
    with pytest.raises(OutputError, match="no GEFF; it is not replaced"):
        export_events(events, mine, form, overwrite=True)
    assert (mine / "thesis.txt").exists()


def test_what_fails_leaves_the_old_file(tmp_path: Path, events: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    out = export_events(events, tmp_path / "a.xml", "trackmate")
    before = out.read_bytes()

    def fail(*_: object) -> None:
        (tmp_path / "a.xml.part").write_text("half")
        raise OSError(28, "No space left on device")

    full = exports.ExportFormat("TrackMate XML", ".xml", "", fail)
    monkeypatch.setitem(exports.FORMATS, "trackmate", full)
    with pytest.raises(OutputError, match="No space left on device"):
        export_events(events, out, "trackmate", overwrite=True)
    assert out.read_bytes() == before


def test_events_of_several_movies_go_into_a_csv_only(tmp_path: Path, events: pd.DataFrame) -> None:
    mixed = events.assign(movie=["a.tif", "b.tif", "a.tif"])
    assert set(read_events(export_events(mixed, tmp_path / "a.csv", "csv"))["movie"]) == {"a.tif", "b.tif"}
    with pytest.raises(OutputError, match=r"2 movies \(a\.tif, b\.tif\)"):
        export_events(mixed, tmp_path / "a.xml", "trackmate")


def test_an_unknown_format_is_named_with_those_there_are(tmp_path: Path, events: pd.DataFrame) -> None:
    with pytest.raises(OutputError, match="no format 'xlsx'; choose one of csv, geff, trackmate"):
        export_events(events, tmp_path / "a.xlsx", "xlsx")  # type: ignore[arg-type]


def test_a_table_tells_its_scale_where_it_has_one(events: pd.DataFrame) -> None:
    facts = facts_of_table(events)
    assert facts.interval_s == 600.0
    assert facts.pixel_size_um == pytest.approx(0.65, abs=1e-5)
    at_the_start = events_table([EventRow(0, 0, 0)], 600.0, 0.65)
    assert (facts_of_table(at_the_start).interval_s, facts_of_table(events[list(events)[:8]]).pixel_size_um) == (None, None)
