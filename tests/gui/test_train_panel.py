"""The score of the newest head is shown whichever movie is open, but never as if it were of a movie that did not teach it."""

from __future__ import annotations

import json

import pytest
from napari.components import ViewerModel

from napari_tap_events.events.mistakes import FALSE, Mistake
from napari_tap_events.gui.layers import movie_layers
from napari_tap_events.gui.train_panel import TrainPanel
from napari_tap_events.jobs.output import describe
from napari_tap_events.project.session import Session

from .marking import cell_movie


@pytest.fixture
def session(tmp_path):
    """Return a session with the movies 'first' and 'second', which is open and has taught a head."""
    session = Session(tmp_path / "unsaved")
    for seed, name in enumerate(("first", "second")):
        session.open_movie(cell_movie(tmp_path / f"{name}.tif", seed=seed))
    card = {"schema": 1, "command": "train", "inputs": {"movie": describe(session.movie)}, "settings": {"movie": {}}}
    (session.project.new_folder("heads", "head") / "result.json").write_text(json.dumps(card), encoding="utf-8")
    yield session
    session.close()


@pytest.fixture
def viewer(session):
    viewer = ViewerModel()
    for layer in movie_layers(session.movie):
        viewer.add_layer(layer)
    return viewer


@pytest.fixture
def panel(qtbot, viewer, session):
    panel = TrainPanel(viewer, session)
    qtbot.addWidget(panel)
    panel.refresh()
    return panel


def test_a_score_of_another_movie_has_its_name_above_it(panel, session):
    assert panel.score.value().name == "head"
    assert not panel.about_another.text()
    session.select("first")
    assert panel.about_another.text() == "The newest head, taught and judged on the movie 'second':"
    session.select("second")
    assert not panel.about_another.text()


def test_a_mistake_in_another_movie_is_not_looked_for_in_this_one(panel, viewer, session):
    viewer.dims.set_current_step(0, 0)
    mistake = Mistake(FALSE, 5, 40.0, 60.0, "division", 0.9)
    for name, frame in (("first", 0), ("second", 5)):
        session.select(name)
        panel.score.chosen.emit(mistake)
        assert viewer.dims.current_step[0] == frame
        panel.score.frame_chosen.emit(5)
        assert viewer.dims.current_step[0] == frame
