"""What is open now, and what is announced when it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_tap_events.errors import MovieError, ProjectError
from napari_tap_events.project import marking
from napari_tap_events.project.folder import Project
from napari_tap_events.project.session import Session
from napari_tap_events.project.unsaved import remove_saved, unsaved_folder
from napari_tap_events.settings import MovieSettings

Film = Callable[..., Path]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Return a session in which nothing is open."""
    return Session(tmp_path / "unsaved")


def heard(session: Session) -> list[Any]:
    told: list[Any] = []
    session.project_changed.connect(lambda: told.append("project"))
    session.movie_changed.connect(lambda: told.append("movie"))
    session.annotations_changed.connect(told.append)
    session.troubled.connect(told.append)
    return told


def mark(session: Session) -> None:
    a = session.annotations
    assert a is not None
    a.do(marking.stamp(a, a.kinds[0], 1, 20, 20, 4))


def test_a_first_movie_makes_a_project_that_is_not_saved_yet(session: Session, film: Film, tmp_path: Path) -> None:
    told = heard(session)
    session.open_movie(film())
    assert told == ["project", "movie"]
    assert session.project is not None
    assert (session.project.path.parent, session.is_unsaved) == (tmp_path / "unsaved", True)
    assert session.entry is not None
    assert session.movie is not None
    assert (session.entry.name, session.movie.n_frames, session.problem, session.trouble) == ("film", 6, "", "")
    mark(session)
    assert told[2:] == [frozenset({1, 2})]


def test_a_second_movie_joins_the_project(session: Session, film: Film) -> None:
    session.open_movie(film())
    first, before = session.project, session.annotations
    told = heard(session)
    session.open_movie(film("second.tif", seed=1))
    assert session.project is first
    assert session.entry is not None
    assert (session.entry.name, told) == ("second", ["movie"])
    assert before is not None
    before.do(marking.mark_point(before, "nothing", 1, 2, 3, 4))
    assert told == ["movie"]
    session.select("film")
    assert (session.annotations is before, told) == (True, ["movie", "movie"])


def test_what_cannot_be_opened_changes_nothing(session: Session, film: Film, tmp_path: Path) -> None:
    told = heard(session)
    with pytest.raises(MovieError):
        session.open_movie(tmp_path / "nothing.tif")
    assert (session.project, list((tmp_path / "unsaved").iterdir()), told) == (None, [], [])
    session.open_movie(film())
    mark(session)
    before = session.movie
    with pytest.raises(MovieError):
        session.open_movie(tmp_path / "nothing.tif")
    with pytest.raises(ProjectError, match="has marks on"):
        session.open_movie(tmp_path / "film.tif", MovieSettings(axes="YTX"))
    with pytest.raises(ProjectError):
        session.open_project(tmp_path / "nothing.tap")
    assert session.movie is before


def test_a_project_that_was_saved_is_opened_with_its_last_movie(session: Session, film: Film, tmp_path: Path) -> None:
    session.open_movie(film())
    mark(session)
    old = session.project
    assert old is not None
    told = heard(session)
    place = old.path
    session.save_as(tmp_path / "mine.tap")
    assert (told, session.is_unsaved, session.left_unsaved()) == (["project"], False, ())
    assert place.exists()
    session.close()
    assert (told[1:], session.project, session.movie, session.annotations) == (["project", "movie"], None, None, None)
    again = Session(tmp_path / "unsaved")
    again.open_project(tmp_path / "mine.tap")
    assert again.annotations is not None
    assert len(again.annotations.events) == 1


def test_what_was_never_saved_is_found_again(session: Session, film: Film, tmp_path: Path) -> None:
    session.open_movie(film())
    session.close()
    assert session.left_unsaved() == ()
    session.open_movie(film())
    mark(session)
    assert session.project is not None
    place = session.project.path
    assert session.left_unsaved() == ()
    session.close()
    assert Session(tmp_path / "unsaved").left_unsaved() == (place,)


def test_what_was_saved_elsewhere_goes_after_some_days_if_its_copy_is_there(
    session: Session, film: Film, tmp_path: Path
) -> None:
    places = []
    for name in ("mine", "moved"):
        session.open_movie(film())
        mark(session)
        assert session.project is not None
        places.append(session.project.path)
        session.save_as(tmp_path / f"{name}.tap")
        session.close()
    session.open_movie(film())
    mark(session)
    session.close()
    (unsaved,) = session.left_unsaved()
    (tmp_path / "moved.tap").rename(tmp_path / "elsewhere.tap")
    remove_saved(tmp_path / "unsaved")
    assert all(place.exists() for place in places), "they are of today"
    remove_saved(tmp_path / "unsaved", days=-1)
    assert [place.exists() for place in (*places, unsaved)] == [False, True, True]


def test_a_project_without_its_movie_shows_the_marks_and_says_why(session: Session, film: Film, tmp_path: Path) -> None:
    path = film()
    session.open_movie(path)
    mark(session)
    session.save_as(tmp_path / "mine.tap")
    session.close()
    path.rename(tmp_path / "renamed.tif")
    session.open_project(tmp_path / "mine.tap")
    assert session.movie is None
    assert "any more; relink it" in session.problem
    assert session.annotations is not None
    assert len(session.annotations.events) == 1
    told = heard(session)
    session.relink(tmp_path / "renamed.tif")
    assert (session.movie is not None, session.problem, told) == (True, "", ["movie"])


def test_trouble_is_announced(session: Session, film: Film, tmp_path: Path) -> None:
    other = Project.create(tmp_path / "other.tap")
    told = heard(session)
    session.open_project(other.path)
    assert told == ["project", session.trouble, "movie"]
    assert "is open in another window" in session.trouble
    session.open_movie(film())
    mark(session)
    session.save_as(tmp_path / "mine.tap")
    assert session.trouble == ""
    assert told[-2:] == ["", "project"]
    assert session.save()


def test_a_project_that_is_open_is_not_opened_against_itself(session: Session, film: Film) -> None:
    session.open_movie(film())
    project = session.project
    assert project is not None
    told = heard(session)
    session.open_project(project.path)
    session.open_project(project.path / "project.json")
    assert (session.project is project, session.trouble, told) == (True, "", [])


def test_a_new_project_is_empty(session: Session, film: Film, tmp_path: Path) -> None:
    session.open_movie(film())
    session.new_project(tmp_path / "new.tap")
    assert (session.movie, session.annotations, session.is_unsaved) == (None, None, False)
    assert Session().save()


def test_with_nothing_open_there_is_nothing_to_do(session: Session, film: Film, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="there is nothing to save"):
        session.save_as(tmp_path / "x.tap")
    with pytest.raises(ProjectError, match="no project is open"):
        session.select("film")
    with pytest.raises(ProjectError, match="no movie is chosen"):
        session.relink(film())


def test_unsaved_projects_lie_in_the_users_data_folder() -> None:
    assert unsaved_folder().parts[-2:] == ("napari-tap-events", "unsaved")


def test_the_size_of_a_cell_is_kept_with_the_movie(session: Session, film: Film, tmp_path: Path) -> None:
    session.open_movie(film())
    told: list[str] = []
    session.cell_size_changed.connect(lambda: told.append("size"))
    session.set_cell_size(22.0)
    session.set_cell_size(22.0)
    assert told == ["size"]
    session.save_as(tmp_path / "kept.tap")
    session.close()
    session.open_project(tmp_path / "kept.tap")
    assert session.entry is not None
    assert session.entry.cell_px == 22.0
    session.open_movie(film(), MovieSettings(interval_s=60.0))
    assert session.entry.cell_px == 22.0, "a movie that is opened in another way still has its cells"


def test_a_cell_without_a_size_and_a_size_without_a_movie_are_refused(session: Session, film: Film) -> None:
    with pytest.raises(ProjectError, match="open a movie first"):
        session.set_cell_size(10.0)
    session.open_movie(film())
    with pytest.raises(ProjectError, match="above 0 pixels, not -3"):
        session.set_cell_size(-3.0)


def test_marks_that_were_left_are_offered_until_something_is_marked(session: Session, film: Film, tmp_path: Path) -> None:
    session.open_movie(film())
    mark(session)
    assert session.project is not None
    place = session.project.path
    other = Session(tmp_path / "unsaved")
    assert other.left_to_go_on_with() is None, "the other window still has it"
    session.close()
    assert other.left_to_go_on_with() == place
    other.open_movie(film("another.tif", seed=5))
    assert other.left_to_go_on_with() is None, "marks of another movie"
    other.close()
    other.open_movie(film())
    assert other.left_to_go_on_with() == place
    mark(other)
    assert other.left_to_go_on_with() is None
    other.close()
