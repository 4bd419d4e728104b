"""project.json: what is written is what is read, older forms are brought up to date, later ones refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.masks import Scope
from napari_tap_events.project.card import SCHEMA, ProjectCard, migrated, new_card, read_card, write_card
from napari_tap_events.project.entry import MovieEntry
from napari_tap_events.project.folder import Project
from napari_tap_events.project.kinds import Kind
from napari_tap_events.project.lock import FolderLock
from napari_tap_events.settings import MovieSettings

OLD = Path(__file__).parent / "schema_0.tap"
FILM = MovieEntry(
    "film", "../film.tif", "5 frames: ab", MovieSettings(axes="TYX", interval_s=60), (6, 1, 40, 50), "/data/film.tif"
)


def test_a_card_comes_back(tmp_path: Path) -> None:
    card = ProjectCard("2024-05-01T10:00:00+00:00", (FILM,), (Kind("fusion", 7, "9"),), "/elsewhere", {"train": {"folds": 4}})
    write_card(tmp_path, card)
    assert read_card(tmp_path) == (card, SCHEMA)
    assert [path.name for path in tmp_path.iterdir()] == ["project.json"]


def test_a_movie_takes_the_place_of_the_one_of_its_name() -> None:
    card = new_card().with_entry(FILM).with_entry(MovieEntry("b", "b.tif", ""))
    changed = card.with_entry(MovieEntry("film", "new.tif", ""))
    assert [(entry.name, entry.path) for entry in changed.movies] == [("film", "new.tif"), ("b", "b.tif")]
    with pytest.raises(ProjectError, match="has no movie 'c'; its movies are: film, b"):
        card.entry("c")


def test_schema_0_becomes_the_schema_of_today() -> None:
    values = migrated(json.loads((OLD / "project.json").read_text()))
    assert values == {
        "schema": 1,
        "created": "2024-01-31T12:00:00+00:00",
        "kinds": [
            {"name": "division", "value": 1, "key": "1"},
            {"name": "death", "value": 2, "key": "2"},
            {"name": "fusion", "value": 3, "key": "3"},
        ],
        "movies": [
            {
                "name": "film",
                "path": "../film.tif",
                "content_hash": "5 frames: ab12",
                "shape": [6, 1, 40, 50],
                "opening": {"axes": "TYX"},
            },
            {
                "name": "other",
                "path": "movies/other.tif",
                "content_hash": "5 frames: cd34",
                "shape": [9, 2, 64, 64],
                "opening": {"axes": None},
            },
        ],
    }


def test_an_old_project_opens_with_its_marks_and_is_kept_beside(tmp_path: Path) -> None:
    folder = tmp_path / "old.tap"
    shutil.copytree(OLD, folder)
    project = Project.open(folder)
    assert [kind.name for kind in project.kinds] == ["division", "death", "fusion"]
    assert project.annotations("film").scope == Scope(range(4), 0, 40, 0, 50)
    assert project.entry("film").opening == MovieSettings(axes="TYX")
    assert json.loads((folder / "project.json").read_text())["schema"] == SCHEMA
    assert json.loads((folder / "project.schema-0.json").read_text())["schema"] == 0
    project.close()
    assert Project.open(folder).movies == project.movies


def test_an_old_project_that_cannot_be_written_opens_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "old.tap"
    shutil.copytree(OLD, folder)
    lock = FolderLock(folder)
    assert lock.hold() == ""
    project = Project.open(folder)
    assert "is open in another window" in project.trouble
    assert [entry.name for entry in project.movies] == ["film", "other"]
    assert (folder / "project.json").read_text() == (OLD / "project.json").read_text()


def test_every_schema_has_a_step_to_the_next() -> None:
    """Each release that changes the form adds a fixture like schema_0.tap, and its step."""
    values: dict[str, Any] = {"schema": SCHEMA, "anything": 1}
    assert migrated(values) == values


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "is no project: there is no project.json in it"),
        ("{", "cannot be read"),
        ("[]", "has no schema number"),
        ('{"schema": "1"}', "has no schema number"),
        ('{"schema": -1}', "has no schema number"),
        ('{"schema": 99}', "has schema 99, this version knows up to 1: update napari-tap-events"),
        ('{"schema": 1}', "is damaged"),
        ('{"schema": 0, "kinds": 3, "movies": []}', "is damaged"),
        ('{"schema": 1, "created": "", "kinds": [], "movies": []}', "no kind of event left"),
        ('{"schema": 1, "created": "", "kinds": [{"name": "a", "value": 1}], "movies": [{"name": "film"}]}', "is damaged"),
    ],
)
def test_a_card_that_will_not_do_is_told(tmp_path: Path, text: str | None, sentence: str) -> None:
    if text is not None:
        (tmp_path / "project.json").write_text(text)
    with pytest.raises(ProjectError, match=sentence):
        Project.open(tmp_path)
