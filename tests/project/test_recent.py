"""Which projects were open last."""

from __future__ import annotations

from pathlib import Path

from napari_tap_events.project import marking
from napari_tap_events.project.recent import FILE, MOST, recent_projects, tell_recent
from napari_tap_events.project.session import Session


def names(session: Session) -> list[str]:
    return [path.stem for path in session.recent()]


def test_saved_projects_are_listed_the_last_first_while_they_are_there(tmp_path: Path) -> None:
    session = Session(tmp_path / "unsaved")
    for name in "abc":
        session.new_project(tmp_path / f"{name}.tap")
    assert names(session) == ["b", "a"]
    session.open_project(tmp_path / "a.tap")
    session.close()
    assert names(Session(tmp_path / "unsaved")) == ["a", "c", "b"]
    (tmp_path / "c.tap").rename(tmp_path / "moved.tap")
    assert names(session) == ["a", "b"]
    assert names(Session(tmp_path / "elsewhere")) == []


def test_what_was_worked_on_last_is_offered_unless_a_window_has_it(tmp_path: Path, film) -> None:
    session, other = Session(tmp_path / "unsaved"), Session(tmp_path / "unsaved")
    assert session.last_worked_on() is None
    session.new_project(tmp_path / "a.tap")
    assert (session.last_worked_on(), other.last_worked_on()) == (None, None)
    session.close()
    assert other.last_worked_on() == tmp_path / "a.tap"
    session.open_movie(film())
    assert session.annotations is not None
    assert session.project is not None
    session.annotations.do(marking.stamp(session.annotations, session.annotations.kinds[0], 1, 20, 20, 4))
    place = session.project.path
    session.close()
    assert other.last_worked_on() == place
    other.open_project(place)
    other.save_as(tmp_path / "b.tap")
    other.close()
    assert session.last_worked_on() == tmp_path / "b.tap"


def test_the_list_is_short_and_a_damaged_one_is_begun_anew(tmp_path: Path) -> None:
    for number in range(MOST + 3):
        folder = tmp_path / f"{number}.tap"
        folder.mkdir()
        (folder / "project.json").write_text("{}")
        tell_recent(tmp_path, folder)
    assert [path.stem for path, _ in recent_projects(tmp_path)] == [str(n) for n in range(MOST + 2, 2, -1)]
    (tmp_path / FILE).write_text('[["only a path"]]')
    assert recent_projects(tmp_path) == ()
    tell_recent(tmp_path, tmp_path / "0.tap")
    assert [path.stem for path, _ in recent_projects(tmp_path)] == ["0"]
    (tmp_path / "file").write_text("in the way")
    tell_recent(tmp_path / "file", tmp_path / "0.tap")
