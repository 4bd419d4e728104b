"""Settings that somebody has chosen are there again when the project is."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_tap_events.gui.kept_settings import KeptSettings
from napari_tap_events.gui.pretrain_panel import PretrainPanel
from napari_tap_events.gui.recipe_panel import RecipeInputs, RecipePanel
from napari_tap_events.project.session import Session
from napari_tap_events.settings import ComputeSettings, HeadSettings

SIZES = {"crop_px": 48, "radius_px": 30.0}


@pytest.fixture
def session(tmp_path):
    return Session(tmp_path / "unsaved")


@pytest.fixture
def panel(qtbot):
    def make() -> RecipePanel:
        made = RecipePanel(
            "Train",
            "It learns.",
            "train",
            (HeadSettings, ComputeSettings),
            lambda: RecipeInputs([], Path()),
            following=tuple(SIZES),
        )
        qtbot.addWidget(made)
        return made

    return make


def choose(panel, **values):
    """Type into the fields, as a person does."""
    for name, value in values.items():
        rows = panel.form.plain if name in panel.form.plain.fields else panel.form.advanced
        rows.fields[name].setValue(value)
        rows.changed.emit(name)


def head(panel) -> HeadSettings:
    return panel.form.value()[0]


def test_what_was_chosen_comes_back_with_the_project_and_where_to_compute_does_not(session, panel, tmp_path, qtbot):
    session.new_project(tmp_path / "a.tap")
    first = panel()
    kept = KeptSettings(session, first)
    first.fitted.fit(SIZES)
    choose(first, folds=4, kinds="merged", device="cpu")
    qtbot.waitUntil(lambda: bool(session.project.settings("train")))
    assert session.project.settings("train") == {"folds": 4, "kinds": "merged"}, "sizes follow the movie, nobody chose them"
    kept.close()
    session.close()
    session.open_project(tmp_path / "a.tap")
    again = panel()
    KeptSettings(session, again)
    assert (head(again).folds, head(again).kinds) == (4, "merged")
    assert again.form.value()[1].device == ComputeSettings().device
    assert again.fitted.fit(SIZES)
    choose(again, folds=HeadSettings().folds, kinds=HeadSettings().kinds, crop_px=64)
    qtbot.waitUntil(lambda: session.project.settings("train") == {"crop_px": 64, "radius_px": 30.0})


def test_each_project_shows_its_own_and_the_first_takes_what_was_there(session, panel, tmp_path):
    recipe = panel()
    KeptSettings(session, recipe)
    choose(recipe, folds=4)
    session.new_project(tmp_path / "a.tap")
    assert session.project.settings("train") == {"folds": 4}
    session.new_project(tmp_path / "b.tap")
    assert head(recipe).folds == HeadSettings().folds
    session.project.keep_settings("train", {"folds": 7, "crop_px": 64})
    session.open_project(tmp_path / "a.tap")
    assert (head(recipe).folds, head(recipe).crop_px) == (4, HeadSettings().crop_px)
    session.open_project(tmp_path / "b.tap")
    assert (head(recipe).folds, head(recipe).crop_px) == (7, 64)
    assert not recipe.fitted.fit(SIZES), "somebody has chosen a size"
    session.open_project(tmp_path / "a.tap")
    assert recipe.fitted.fit(SIZES)


def test_settings_of_another_version_are_passed_over(session, panel, tmp_path):
    session.new_project(tmp_path / "a.tap")
    session.project.keep_settings("train", {"folds": 4, "colour": "red", "crop_px": -3})
    recipe = panel()
    KeptSettings(session, recipe)
    assert (head(recipe).folds, head(recipe).crop_px) == (4, HeadSettings().crop_px)


def test_what_will_not_do_is_not_kept(session, panel, tmp_path):
    session.new_project(tmp_path / "a.tap")
    recipe = panel()
    kept = KeptSettings(session, recipe)
    choose(recipe, folds=4)
    kept.keep()
    choose(recipe, folds=1)
    assert recipe.form.problem()
    kept.keep()
    assert session.project.settings("train") == {"folds": 4}


def test_lists_and_the_games_that_are_chosen_come_back(session, tmp_path, qtbot):
    session.new_project(tmp_path / "a.tap")
    session.project.keep_settings("pretrain", {"deltas": [1, 3], "pretext": "time_arrow:1,slowness:0.5", "steps": 77})
    panel = PretrainPanel(session)
    qtbot.addWidget(panel)
    kept = KeptSettings(session, panel.recipe)
    settings = panel.recipe.form.value()[0]
    assert (settings.deltas, settings.steps) == ((1, 3), 77)
    assert panel.games.value() == {"time_arrow": 1.0, "slowness": 0.5}
    kept.keep()
    assert session.project.settings("pretrain") == {"deltas": [1, 3], "pretext": "time_arrow:1,slowness:0.5", "steps": 77}
    panel.close()
