"""What there is to choose from: encoders and heads of the project in words, and the encoder that comes with the program."""

from __future__ import annotations

import json

import pytest

from napari_tap_events.encoder.shipped import SHIPPED
from napari_tap_events.gui.project_models import encoders, finders
from napari_tap_events.project.folder import Project


@pytest.fixture
def project(tmp_path):
    made = Project.create(tmp_path / "mine.tap")
    for name, details in (("both", {"arrow": True, "simulated": True}), ("old", {})):
        folder = made.path / "encoders" / name
        folder.mkdir(parents=True)
        card = {"schema": 1, "command": "pretrain", "summary": {"val_ap_simulated": 0.87} if details else {}, "files": {}}
        (folder / "result.json").write_text(json.dumps(card))
        (folder / "card.json").write_text(json.dumps({"details": details}))
    return made


def test_the_shipped_encoder_stands_behind_those_of_the_project_and_before_the_controls(project):
    offered = encoders(project)
    assert [model.value for model in offered][-3:] == [SHIPPED, "intensity", "random"]
    assert {"both", "old"} == {model.value.rsplit("/")[-1] for model in offered[:-3]}
    assert any("AP 0.87 on simulated" in model.words for model in offered)


def test_without_a_project_the_shipped_encoder_is_there_all_the_same():
    assert encoders(None)[0].value == SHIPPED
    assert finders(None) == []


def test_an_adopted_encoder_can_teach_a_head_and_finds_nothing_by_itself(project):
    (project.path / "encoders" / "both" / "card.json").write_text(json.dumps({"details": {"arrow": False, "adapter": "a"}}))
    assert "both, adopted" in [model.words for model in encoders(project)]
    assert "both" not in {model.value.rsplit("/")[-1] for model in finders(project)}


def test_an_encoder_finds_by_what_it_was_taught(project):
    words = {model.value.rsplit("/")[-1]: model.words for model in finders(project)}
    assert words["both"] == "no labels: both, as simulated"
    assert words["old"] == "no labels: arrow of time of old"
    assert words[SHIPPED] == "no labels: shipped encoder"
    assert all(model.role == "encoder" for model in finders(project))
