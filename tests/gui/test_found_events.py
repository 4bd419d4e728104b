"""What a search has found is counted alike in the line of its step and in its list, whichever movie is open."""

from __future__ import annotations

import json

import pytest

from napari_tap_events.events.table import EventRow, events_table, write_events
from napari_tap_events.gui.found_events import read_search
from napari_tap_events.gui.steps import Progress
from napari_tap_events.jobs.output import STARTED, describe
from napari_tap_events.movies.ome_zarr import create_map
from napari_tap_events.project.marking import mark_point

from .marking import CELLS, cell_movie


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def workbench(viewer, docked, tmp_path):
    """Dock a workbench with the movies 'first' and 'second'; in each, cells were found at three places."""
    workbench = docked(viewer)
    for seed, name in enumerate(("first", "second")):
        workbench.session.open_movie(cell_movie(tmp_path / f"{name}.tif", seed=seed))
        lay_out(workbench.session)
    return workbench


def lay_out(session):
    """Write what a search through the open movie leaves; return its folder."""
    folder = session.project.new_folder("maps", "events")
    create_map(folder / "probability.ome.zarr", (7, 24, 32), name="probability", stride_px=4)
    rows = [EventRow(2, float(y), float(x), "division", 0.9, "head") for y, x in CELLS]
    write_events(folder / "candidates.csv", events_table(rows))
    card = {"schema": 1, "command": "detect", "inputs": {"movie": describe(session.movie)}, "files": {}}
    card |= {"settings": {"detect": {"radius_px": 6.0, "radius_frames": 2}, "movie": {}}}
    card |= {"summary": {"events": 3, "threshold": 0.4}, "warnings": ["Count them."]}
    (folder / "result.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def status(workbench):
    return workbench.steps.headers["find"].status.text()


def reject_one(session):
    marks = session.annotations
    marks.do(mark_point(marks, "nothing", 2, *map(float, CELLS[0]), 6.0))


def test_the_line_of_the_step_counts_as_the_list_does_when_a_project_is_opened(workbench):
    session = workbench.session
    reject_one(session)
    project = session.project.path
    session.close()
    assert status(workbench) == Progress.open.value
    workbench.project.open(project)
    assert status(workbench) == f"2 events {Progress.done.value}"
    workbench.steps.open("results")
    assert status(workbench) == f"2 events {Progress.done.value}"
    assert "2 events of 3 candidates" in workbench.finding.threshold.words.text()


def test_the_line_of_the_step_follows_the_movie(workbench):
    session = workbench.session
    reject_one(session)
    session.select("first")
    assert status(workbench) == f"3 events {Progress.done.value}"
    session.select("second")
    assert status(workbench) == f"2 events {Progress.done.value}"


@pytest.mark.parametrize("step", ["find", "results"])
def test_an_open_list_shows_what_was_found_in_the_movie_that_is_chosen(workbench, viewer, step):
    workbench.steps.open(step)
    reject_one(workbench.session)
    for name, count in (("first", 3), ("second", 2)):
        workbench.session.select(name)
        assert int(viewer.layers["events"].shown.sum()) == count
        assert status(workbench) == f"{count} events {Progress.done.value}"


def test_candidates_that_cannot_be_read_leave_the_number_of_the_card(workbench):
    (workbench.session.project.maps()[0] / "candidates.csv").unlink()
    workbench.session.select("second")
    assert status(workbench) == f"3 events {Progress.done.value}"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"head": ["/p/heads/head-2"]}, "Found by the head 'head-2'.\nNote: Count them."),
        ({"encoder": ["/p/encoders/encoder"]}, "Found by the encoder 'encoder'.\nNote: Count them."),
        ({"encoder": ["/elsewhere/napari_tap_events/shipped"]}, "Found by the shipped encoder.\nNote: Count them."),
        ({}, "Note: Count them."),
    ],
)
def test_a_search_says_by_which_model(workbench, settings, told):
    folder = workbench.session.project.maps()[0]
    (folder / STARTED).write_text(json.dumps({"settings": settings}), encoding="utf-8")
    assert read_search(folder).in_words() == told
