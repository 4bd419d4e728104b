"""The games of step 3: a menu that says what each learns, rows with weights and settings, and what reaches the command line."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_tap_events.gui.games_choice import GamesChoice
from napari_tap_events.gui.pretrain_panel import PretrainPanel
from napari_tap_events.gui.recipe_panel import RecipePanel
from napari_tap_events.project.session import Session
from napari_tap_events.settings import ComputeSettings, PretrainSettings
from napari_tap_events.settings.games import GAMES


@pytest.fixture
def choice(qtbot):
    movie = [(97, 1)]
    choice = GamesChoice(lambda: movie[0])
    choice.movie = movie
    qtbot.addWidget(choice)
    choice.resize(310, 600)
    choice.show()
    return choice


@pytest.fixture
def panel(qtbot, tmp_path):
    panel = PretrainPanel(Session(tmp_path))
    qtbot.addWidget(panel)
    panel.resize(340, 900)
    panel.show()
    yield panel
    panel.close()


def offered(choice) -> dict[str, bool]:
    """What the menu says, and whether it can be chosen."""
    choice.menu.aboutToShow.emit()
    return {action.text(): action.isEnabled() for action in choice.menu.actions()}


def pick(choice, start: str) -> None:
    offered(choice)
    next(action for action in choice.menu.actions() if action.text().startswith(start)).trigger()


def test_at_first_the_arrow_of_time_is_played_alone(choice):
    assert choice.value() == {"time_arrow": 1.0}
    row = choice.rows["time_arrow"]
    assert not row.weight.isVisible()
    assert not row.remove.isVisible()
    assert choice.minimumSizeHint().width() <= 310


def test_the_menu_says_of_every_other_game_what_it_learns_and_when_it_misleads(choice):
    texts = offered(choice)
    assert len(texts) == len(GAMES) - 1
    assert [text for text, on in texts.items() if not on] == ["crosschannel: It needs a movie of 2 channels; this one has 1."]
    assert f"order: {GAMES['order'].learns}" in texts
    tips = [action.toolTip() for action in choice.menu.actions()]
    assert any(GAMES["deep_clusters"].misleads in tip for tip in tips)


def test_a_game_that_does_not_fit_the_movie_says_why_and_cannot_be_chosen(choice):
    choice.movie[0] = (12, 1)
    texts = offered(choice)
    told = [text for text, on in texts.items() if text.startswith("order:") and not on]
    assert told == ["order: It needs 4 frames in a row to learn from and as many to judge by; this movie has 12 in all."]
    assert texts[f"simulated: {GAMES['simulated'].learns}"]


def test_a_chosen_game_that_does_not_fit_another_movie_says_so_in_its_row(choice):
    pick(choice, "order:")
    assert choice.problem() == ""
    choice.movie[0] = (12, 1)
    choice.refresh()
    assert not choice.rows["order"].problem.isHidden()
    assert choice.problem().startswith("order: It needs 4 frames")


def test_games_are_added_weighed_and_taken_away(choice, qtbot):
    with qtbot.waitSignal(choice.valueChanged):
        pick(choice, "timecontrast:")
    choice.rows["timecontrast"].weight.setValue(0.5)
    assert choice.value() == {"time_arrow": 1.0, "timecontrast": 0.5}
    assert choice.rows["time_arrow"].weight.isVisible()
    with qtbot.waitSignal(choice.valueChanged):
        qtbot.mouseClick(choice.rows["time_arrow"].remove, Qt.MouseButton.LeftButton)
    assert choice.value() == {"timecontrast": 1.0}
    assert not choice.rows["timecontrast"].weight.isVisible()
    sentence = next(label for label in choice.rows["timecontrast"].findChildren(QLabel) if "looks like itself" in label.text())
    assert GAMES["timecontrast"].misleads in sentence.text()


def test_settings_of_a_game_have_a_form_of_their_own(choice):
    choice.setValue({"order": 1.0}, ("order.mode=verify", "order.gaps=1+3"))
    row = choice.rows["order"]
    assert row.form.value()[0].mode == "verify"
    assert choice.settings() == ("order.mode=verify", "order.gaps=1+3")
    row.form.plain.fields["gaps"].setValue("0")
    assert "gaps" in choice.problem()


def test_what_is_chosen_reaches_the_command_line(panel):
    panel.games.add("order")
    panel.games.rows["order"].form.plain.fields["mode"].setValue("odd")
    panel.games.rows["order"].weight.setValue(0.5)
    flags = panel.recipe.form.flags()
    assert flags[flags.index("--pretext") + 1] == "time_arrow:1,order:0.5"
    assert flags[flags.index("--game-settings") + 1] == "order.mode=odd"
    assert "pretext" not in panel.recipe.form.plain.fields


def test_settings_that_are_set_show_their_games(panel):
    settings = PretrainSettings(pretext="masked:1,future:2", game_settings=("masked.hidden=0.5",))
    panel.recipe.setValue(settings, ComputeSettings())
    assert panel.games.value() == {"masked": 1.0, "future": 2.0}
    assert panel.games.settings() == ("masked.hidden=0.5",)
    assert panel.recipe.form.value()[0] == settings


def test_while_a_job_runs_no_other_game_can_be_chosen(panel, monkeypatch):
    for running in (True, False):
        monkeypatch.setattr(RecipePanel, "running", lambda _, running=running: running)
        panel.recipe._offer()
        assert panel.games.isVisibleTo(panel) is not running
