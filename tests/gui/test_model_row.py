"""The button beside a list of models: what it brings is offered in every step; code of others runs only when a person says so."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_tap_events.encoder import named_code
from napari_tap_events.encoder.named_code import NamedCode, was_named
from napari_tap_events.errors import ModelError
from napari_tap_events.gui.model_choice import ModelChoice
from napari_tap_events.gui.model_row import ModelRow
from napari_tap_events.gui.project_models import encoders, finders
from napari_tap_events.project.session import Session

from ..models import CODE, write_model
from .marking import cell_movie


@pytest.fixture(autouse=True)
def _nothing_named_before(tmp_path, monkeypatch):
    monkeypatch.setattr(named_code, "named_before", lambda: tmp_path / "settings" / "adapters.json")


@pytest.fixture
def session(tmp_path):
    made = Session(tmp_path / "unsaved")
    made.open_movie(cell_movie(tmp_path / "cells.tif"))
    yield made
    made.close()


@pytest.fixture
def offered(session, qtbot):
    """Make a row for a list, which follows the project as a step does."""

    def make(offer, *kinds, **how):
        choice = ModelChoice()
        row = ModelRow(choice, session, *kinds, **how)
        qtbot.addWidget(row)
        session.models_changed.connect(lambda: choice.offer(offer(session.project)))
        choice.offer(offer(session.project))
        return row

    return make


def by_dialog(row, qtbot, monkeypatch, folder):
    """Press the button, and choose a folder in the dialog that comes."""
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    qtbot.mouseClick(row.button, Qt.MouseButton.LeftButton)


def test_an_encoder_from_elsewhere_is_chosen_where_it_was_asked_for_and_offered_elsewhere(
    offered, session, qtbot, monkeypatch, tmp_path
):
    there = write_model(tmp_path / "colleague" / "good", "encoder", arrow=True)
    train, review, find = offered(encoders, "encoder"), offered(encoders, "encoder"), offered(finders, "head", "encoder")
    before = review.choice.value()
    by_dialog(train, qtbot, monkeypatch, there)
    came = str(session.project.path / "encoders" / "good")
    assert (train.choice.value().value, train.choice.currentText()) == (came, "good, brought")
    assert review.choice.value() == before
    for row in (review, find):
        row.choice.setValue(came)
        assert row.choice.value().value == came
    assert "arrow of time" in find.choice.currentText()


def test_a_head_from_elsewhere_can_find_events(offered, session, qtbot, monkeypatch, tmp_path):
    find = offered(finders, "head", "encoder", alone=True)
    by_dialog(find, qtbot, monkeypatch, write_model(tmp_path / "colleague" / "sure", "head"))
    assert find.choice.value().role == "head"
    assert find.choice.value().value == str(session.project.path / "heads" / "sure")


def test_what_does_not_fit_the_list_is_refused_with_what_would(offered, session, tmp_path):
    head = write_model(tmp_path / "colleague" / "sure", "head")
    train, find = offered(encoders, "encoder"), offered(finders, "head", "encoder", alone=True)
    with pytest.raises(ModelError, match="holds a head; an encoder is needed here: it has none"):
        train.bring(head)
    inside = write_model(head / "encoder", "encoder", arrow=False)
    with pytest.raises(ModelError, match=f"the one of this head is in '{inside}'"):
        train.bring(head)
    with pytest.raises(ModelError, match="finds nothing by itself: bring it in step 4, and train a head on it"):
        find.bring(inside)
    assert session.project.brought("head") == session.project.brought("encoder") == ()


def test_a_wrong_folder_is_told_and_none_changes_nothing(offered, qtbot, monkeypatch, tmp_path):
    train = offered(encoders, "encoder")
    before = train.choice.value()
    by_dialog(train, qtbot, monkeypatch, "")
    assert train.problem.isHidden()
    by_dialog(train, qtbot, monkeypatch, tmp_path)
    assert "There is no encoder or head in" in train.problem.text()
    assert train.choice.value() == before
    train.choice.setValue("intensity")
    assert train.problem.isHidden()


def test_without_a_project_it_is_told_before_a_folder_is_asked_for(qtbot, monkeypatch, tmp_path):
    session = Session(tmp_path / "unsaved")
    row = ModelRow(ModelChoice(), session, "encoder")
    qtbot.addWidget(row)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: pytest.fail("a folder is asked for"))
    qtbot.mouseClick(row.button, Qt.MouseButton.LeftButton)
    assert "there is no project that could take a model: open one in step 1" in row.problem.text()


def test_code_of_somebody_else_is_asked_for_once_and_only_a_yes_brings_it(offered, session, tmp_path, monkeypatch):
    adopted = write_model(tmp_path / "colleague" / "vit", "encoder", adapter="adapter", arrow=False)
    train, asked = offered(encoders, "encoder"), []
    monkeypatch.setattr(ModelRow, "trusts", lambda _, found, codes: asked.append(codes) or len(asked) > 1)
    train.bring(adopted)
    assert session.project.brought("encoder") == ()
    assert not was_named(NamedCode("adapter", CODE))
    train.bring(adopted)
    assert [code.text for code in asked[0]] == [CODE]
    assert session.project.brought("encoder") == (session.project.path / "encoders" / "vit",)
    assert was_named(NamedCode("adapter", CODE))
    train.bring(adopted)
    assert len(asked) == 2
