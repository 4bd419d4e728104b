"""Models from elsewhere: a project takes a copy of what they need, and tells its own from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from napari_tap_events.errors import ModelError, ProjectError
from napari_tap_events.project import brought
from napari_tap_events.project.brought import look
from napari_tap_events.project.folder import Project

from ..models import CODE, write_model


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """A colleague's head with an adopted encoder inside."""
    made = write_model(tmp_path / "colleague" / "good head", "head", threshold=0.4)
    write_model(made / "encoder", "encoder", adapter="adapter", arrow=False)
    return made


def test_a_head_is_copied_with_its_encoder_and_without_what_it_does_not_need(project: Project, head: Path) -> None:
    came = project.bring(look(head))
    assert came == project.path / "heads" / "good_head"
    files = {path.relative_to(came).as_posix() for path in came.rglob("*") if path.is_file()}
    parts = ("card.json", "model.safetensors", "result.json")
    assert files == {"brought.json", *parts, *(f"encoder/{name}" for name in parts), "encoder/adapter.py"}
    assert json.loads((came / "brought.json").read_text())["from"] == str(head)
    assert (came / "encoder" / "model.safetensors").read_bytes() == (head / "encoder" / "model.safetensors").read_bytes()


def test_what_came_from_elsewhere_is_not_a_result_of_the_project(project: Project, head: Path) -> None:
    own = write_model(project.path / "heads" / "own", "head")
    came = project.bring(look(head))
    assert project.heads() == (own,)
    assert project.brought("head") == (came,)
    assert project.brought("encoder") == ()


def test_the_same_model_comes_once_and_another_of_its_name_beside_it(project: Project, head: Path, tmp_path: Path) -> None:
    first = project.bring(look(head))
    assert project.bring(look(head)) == first
    assert project.bring(look(first)) == first, "chosen inside of the project itself"
    other = write_model(tmp_path / "other" / "good head", "head", threshold=0.7)
    assert project.bring(look(other)) == project.path / "heads" / "good_head-2"


def test_code_of_other_people_is_told_before_it_runs(head: Path, tmp_path: Path) -> None:
    assert [code.text for code in look(head).codes()] == [CODE]
    assert [code.text for code in look(head / "encoder").codes()] == [CODE]
    assert look(write_model(tmp_path / "plain", "encoder", arrow=True)).codes() == ()
    (head / "encoder" / "adapter.py").unlink()
    with pytest.raises(ModelError, match=r"lacks its adapter\.py"):
        look(head).codes()


def test_what_is_no_model_is_refused_with_the_way_to_one(project: Project, head: Path, tmp_path: Path) -> None:
    (project.path / "heads").mkdir()
    with pytest.raises(ModelError, match="is a project; choose a folder inside of its 'encoders' or 'heads'"):
        look(project.path)
    with pytest.raises(ModelError, match="holds several"):
        look(project.path / "heads")
    with pytest.raises(ModelError, match="there is no encoder or head in"):
        look(tmp_path)
    (head / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"has no model\.safetensors; copy the whole folder"):
        look(head)
    for damaged in ("{", '{"kind": []}', '{"details": {}}', "[]", '{"kind": "cat"}'):
        (head / "card.json").write_text(damaged)
        with pytest.raises(ModelError, match=r"cannot be read; the model is damaged|choose the folder of an encoder or a head"):
            look(head)


def test_a_copy_that_fails_leaves_nothing(project: Project, head: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(brought.shutil, "copyfile", full)
    with pytest.raises(ProjectError, match="cannot be copied into the project: No space left on device"):
        project.bring(look(head))
    assert list((project.path / "heads").iterdir()) == []
    assert project.brought("head") == ()
