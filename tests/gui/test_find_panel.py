"""Results of a movie are shown over that movie, whichever is open when they are done."""

from __future__ import annotations

import json
from functools import partial

import pytest
from napari.components import ViewerModel

from napari_tap_events.events.table import EventRow, events_table, write_events
from napari_tap_events.gui import find_panel
from napari_tap_events.gui.card_overlay import CardMaps
from napari_tap_events.gui.find_panel import FindPanel
from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.made_of import other_movie_of, results_of_open_movie
from napari_tap_events.gui.project_models import found_last
from napari_tap_events.jobs.output import STARTED, describe
from napari_tap_events.jobs.runner import Job
from napari_tap_events.movies.ome_zarr import create_map
from napari_tap_events.project import marking
from napari_tap_events.project.session import Session

from .marking import cell_movie


@pytest.fixture
def session(tmp_path):
    """Return a session with two movies that differ in nothing but their pixels and folders; 'cells-2' is open."""
    session = Session(tmp_path / "unsaved")
    for seed, name in enumerate(("first", "second")):
        (tmp_path / name).mkdir()
        session.open_movie(cell_movie(tmp_path / name / "cells.tif", seed=seed))
    yield session
    session.close()


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def panel(qtbot, viewer, session):
    panel = FindPanel(viewer, session)
    qtbot.addWidget(panel, before_close_func=lambda _panel: _panel.recipe.watch.leave())
    return panel


ROWS = (EventRow(2, 30.0, 40.0, "division", 0.9, "head"),)


def lay_out(session, command, name, rows=ROWS, model="head-1", **card_too):
    """Write what a command leaves of a movie; return its folder."""
    folder = session.project.new_folder("maps", command)
    movie = session.project.movie(name)
    role = "probability" if command == "detect" else "grad_cam"
    create_map(folder / f"{role}.ome.zarr", (7, 24, 32), name=role, stride_px=4)
    table = "candidates.csv" if command == "detect" else "insets.csv"
    write_events(folder / table, events_table(rows))
    settings = {"detect": {"radius_px": 6.0, "radius_frames": 2}, "explain": {"inset_px": 16}, "movie": {}}
    card = {"schema": 1, "command": command, "settings": settings, "summary": {}}
    card["inputs"] = {"movie": describe(movie)}
    card |= card_too
    started = {"settings": {"movie": [movie.source], "head": [str(session.project.path / "heads" / model)]}}
    (folder / STARTED).write_text(json.dumps(started), encoding="utf-8")
    (folder / "result.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def shown(viewer):
    return {layer.metadata.get(ROLE) for layer in viewer.layers}


@pytest.mark.parametrize(("command", "role"), [("detect", "probability"), ("explain", "grad_cam")])
def test_what_is_done_for_another_movie_waits_for_that_movie(panel, viewer, session, command, role):
    told = []
    panel.elsewhere.connect(told.append)
    recipe = panel.recipe if command == "detect" else panel.explain
    recipe.finished.emit(lay_out(session, command, "cells"))
    assert told == ["cells"]
    assert "'cells'" in panel.about_another.text()
    assert role not in shown(viewer)
    session.select("cells")
    assert role in shown(viewer)
    assert not panel.about_another.text()
    session.select("cells-2")
    assert role not in shown(viewer)


def test_what_is_done_for_the_open_movie_is_shown_at_once(panel, viewer, session):
    panel.recipe.finished.emit(lay_out(session, "detect", "cells-2"))
    assert {"probability", "events"} <= shown(viewer)
    assert not panel.about_another.text()


def test_the_last_result_of_a_movie_is_not_that_of_its_double_in_another_folder(session):
    of_first = lay_out(session, "detect", "cells")
    assert found_last(session) is None
    session.select("cells")
    assert found_last(session) == of_first


def test_where_a_network_looked_in_another_movie_is_not_laid_over_cards(session, tmp_path):
    def offered():
        return dict(CardMaps(tmp_path / "none", partial(results_of_open_movie, session)).paths())

    folder = lay_out(session, "explain", "cells")
    assert offered() == {}
    session.select("cells")
    assert offered() == {"grad_cam": folder / "grad_cam.ome.zarr"}


def test_a_map_grows_only_over_the_movie_that_is_read(panel, viewer, session, monkeypatch, tmp_path):
    out, first = tmp_path / "out", session.project.movie("cells")
    create_map(out / "probability.ome.zarr", (7, 24, 32), name="probability", stride_px=4)
    (out / STARTED).write_text(json.dumps({"settings": {"movie": [first.source], "channel": None, "z": None}}))
    job = Job.start("detect", [], out, tmp_path / "job", ("true",))
    monkeypatch.setattr(type(job), "state", "running")
    job.pace.stage = "detect"
    panel.recipe.watch.job = job
    panel.recipe.watch.reported.emit([])
    assert not viewer.layers
    for _ in range(2):
        session.select("cells")
        panel.recipe.watch.reported.emit([])
        assert "probability" in shown(viewer)
        session.select("cells-2")
        assert not viewer.layers


def end(panel, session, out, tmp_path, monkeypatch):
    """Let a search through the open movie be done, as its job tells it."""
    job = Job.start("detect", [session.movie.source], out, tmp_path / f"job-{out.name}", ("true",))
    monkeypatch.setattr(type(job), "state", "done")
    panel.recipe.follow(job)
    panel.recipe.watch.leave()
    panel.recipe.watch.ended.emit("done", "")


def test_what_is_said_after_a_search_is_taken_in_when_it_is_looked_at_again(panel, session, monkeypatch):
    rows = (*ROWS, EventRow(5, 10.0, 60.0, "division", 0.7, "head"))
    folder = lay_out(session, "detect", "cells-2", rows)
    monkeypatch.setattr(find_panel, "found_last", lambda _session: folder)
    panel.show_result(folder)
    panel.threshold.setValue(0.8)
    assert panel.threshold.events() == 1
    marks = session.annotations
    marks.do(marking.stamp(marks, marks.kinds[1], 5, 11, 60, 4))
    before = panel.layers.points
    panel.show_last()
    assert panel.layers.points != before
    told = panel.layers.points[-1].features
    assert [(row.kind, row.status) for row in told.itertuples()] == [("division", "proposed"), ("death", "confirmed")]
    assert (panel.threshold.value(), panel.threshold.events()) == (0.8, 2)
    before = panel.layers.points
    panel.show_last()
    assert panel.layers.points == before, "nothing was said since"
    marks.undo()
    (folder / "result.json").unlink()
    panel.show_last()
    assert panel.layers.points == before, "what is gone cannot be judged again"


def test_how_a_search_went_is_not_said_of_another_movie(panel, session, tmp_path, monkeypatch):
    panel.show()
    end(panel, session, lay_out(session, "detect", "cells-2", warnings=["Count them."]), tmp_path, monkeypatch)
    for _ in range(2):
        assert panel.recipe.view.isVisible()
        assert panel.recipe.view.status.text() == "✓ Done in 0:00.", "numbers stand beside the threshold alone"
        session.select("cells")
        assert not panel.recipe.view.isVisible()
        assert not panel.about_found.text()
        session.select("cells-2")
        panel.show_last()
        assert panel.about_found.text() == "Found by the head 'head-1'.\nNote: Count them."
    session.close()
    assert not panel.recipe.view.isVisible()


def test_a_search_through_another_movie_goes_on_under_its_name(panel, session, tmp_path, monkeypatch):
    panel.show()
    job = Job.start("detect", [session.movie.source], tmp_path / "out", tmp_path / "job", ("true",))
    monkeypatch.setattr(type(job), "state", "running")
    panel.recipe.follow(job)
    panel.recipe.watch.leave()
    assert panel.recipe.view.status.text() == "Starting …"
    session.select("cells")
    assert panel.recipe.view.status.text() == "Movie 'cells-2': Starting …"
    monkeypatch.setattr(type(job), "state", "failed")
    panel.recipe.watch.ended.emit("failed", "memory ran out.")
    assert not panel.recipe.view.isVisible()
    assert panel.recipe.refusal.text() == "⚠ Movie 'cells-2': memory ran out."
    session.select("cells-2")
    assert panel.recipe.view.isVisible()
    assert panel.recipe.refusal.isHidden()


def test_a_result_names_the_model_that_made_it_whichever_is_chosen_since(panel, session):
    panel.refresh()
    panel.recipe.finished.emit(lay_out(session, "detect", "cells-2", model="head-7"))
    panel.model.setValue("shipped")
    assert panel.about_found.text() == "Found by the head 'head-7'."


@pytest.mark.parametrize(
    ("movie", "flags", "told"),
    [
        ("cells-2", [], ""),
        ("cells-2", ["--channel", "1"], "cells-2"),
        ("cells", [], "cells"),
        (None, [], ""),
    ],
)
def test_a_job_is_of_another_movie_where_it_reads_another_or_another_channel(session, tmp_path, movie, flags, told):
    given = [session.project.movie(movie).source] if movie else []
    job = Job.start("pretrain", [*given, *flags], tmp_path / "out", tmp_path / "job", ("true",))
    assert other_movie_of(session, job.record) == told
