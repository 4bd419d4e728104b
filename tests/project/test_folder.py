"""A project survives being moved, copied, opened twice and a full disk, and never puts marks on another movie."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_tap_events.errors import MovieError, ProjectError
from napari_tap_events.movies.masks import open_masks
from napari_tap_events.project import marking
from napari_tap_events.project.corrections import SetKinds
from napari_tap_events.project.folder import Project
from napari_tap_events.project.kinds import with_kind
from napari_tap_events.settings import MovieSettings

Film = Callable[..., Path]


def mark(project: Project, name: str = "film", t: int = 1) -> None:
    a = project.annotations(name)
    a.do(marking.stamp(a, a.kinds[0], t, 20, 20, 4))


def full_disk(*_: Any) -> None:
    raise OSError(28, "No space left on device")


def test_what_was_marked_is_there_again(project: Project) -> None:
    mark(project)
    a = project.annotations("film")
    a.do(SetKinds(a.kinds, with_kind(a.kinds, "fusion")))
    assert project.annotations("film") is a
    project.close()
    again = Project.open(project.path / "project.json")
    assert (again.movies, again.kinds, again.trouble) == (project.movies, a.kinds, "")
    np.testing.assert_array_equal(again.annotations("film").labels, a.labels)
    assert again.movie("film").shape == (6, 1, 40, 50)
    assert again.movie("film") is again.movie("film")


def test_a_project_is_not_made_over_something_else(tmp_path: Path, project: Project) -> None:
    with pytest.raises(ProjectError, match="exists already and is not empty"):
        Project.create(project.path)
    with pytest.raises(ProjectError, match="exists already and is not empty"):
        Project.create(tmp_path / "film.tif")
    with pytest.raises(ProjectError, match="no project can be made at"):
        Project.create(tmp_path / "film.tif" / "below")
    (tmp_path / "empty").mkdir()
    assert Project.create(tmp_path / "empty").movies == ()


def test_a_moved_project_finds_its_movies(tmp_path: Path, project: Project) -> None:
    """Moved together with the movie, then alone."""
    project.close()
    away = tmp_path / "away"
    away.mkdir()
    (tmp_path / "film.tif").rename(away / "film.tif")
    project.path.rename(away / "marks.tap")
    moved = Project.open(away / "marks.tap")
    assert moved.missing() == ()
    assert moved.movie("film").source == str(away / "marks.tap" / ".." / "film.tif")
    moved.relink("film", away / "film.tif")
    moved.close()
    (tmp_path / "far" / "away").mkdir(parents=True)
    (away / "marks.tap").rename(tmp_path / "far" / "away" / "marks.tap")
    alone = Project.open(tmp_path / "far" / "away" / "marks.tap")
    assert alone.missing() == ()
    assert alone.movie("film").n_frames == 6


def test_a_missing_movie_is_listed_its_marks_are_there_and_it_is_relinked(tmp_path: Path, project: Project) -> None:
    mark(project)
    project.close()
    (tmp_path / "film.tif").rename(tmp_path / "renamed.tif")
    again = Project.open(project.path)
    assert [entry.name for entry in again.missing()] == ["film"]
    assert len(again.annotations("film").events) == 1
    with pytest.raises(ProjectError, match=r"the movie 'film' is not at .*film\.tif' any more; relink it"):
        again.movie("film")
    assert again.relink("film", tmp_path / "renamed.tif").path == "../renamed.tif"
    assert (again.missing(), again.movie("film").n_frames) == ((), 6)


def test_another_movie_is_not_relinked_unless_it_is_forced(project: Project, film: Film) -> None:
    other, short = film("other.tif", seed=1), film("short.tif", shape=(5, 40, 50))
    with pytest.raises(ProjectError, match=r"'other\.tif' is not the movie 'film' that was marked: .* its pixels differ"):
        project.relink("film", other)
    before = project.entry("film")
    for force in (False, True):
        with pytest.raises(ProjectError, match=r"it has the shape \(5, 1, 40, 50\), that one \(6, 1, 40, 50\)"):
            project.relink("film", short, force=force)
    assert project.entry("film") == before
    project.relink("film", other, force=True)
    assert project.movie("film").source == str(other)
    with pytest.raises(MovieError):
        project.relink("film", other.with_name("nothing.tif"))
    with pytest.raises(ProjectError, match="has no movie 'nobody'"):
        project.relink("nobody", other)


def test_another_movie_in_the_same_place_is_told(project: Project, film: Film) -> None:
    mark(project)
    project.close()
    film(seed=1)
    again = Project.open(project.path)
    with pytest.raises(ProjectError, match="is not the movie 'film' that was marked"):
        again.movie("film")
    with pytest.raises(ProjectError, match="is not the movie 'film' that was marked"):
        again.add_movie(project.path / ".." / "film.tif", MovieSettings(interval_s=60))


def test_a_movie_is_the_same_however_it_is_packed(project: Project, tmp_path: Path) -> None:
    pixels = tifffile.imread(tmp_path / "film.tif")
    tifffile.imwrite(tmp_path / "packed.tif", pixels, compression="zlib", photometric="minisblack", metadata={"axes": "TYX"})
    assert project.add_movie(tmp_path / "packed.tif").name == "film"
    assert len(project.movies) == 1


def test_a_movie_that_is_opened_anew_keeps_its_marks_or_is_refused(project: Project, film: Film, tmp_path: Path) -> None:
    path = tmp_path / "film.tif"
    entry = project.add_movie(path, MovieSettings(interval_s=60, pixel_size_um=0.5))
    assert (len(project.movies), project.movie("film").interval_s) == (1, 60)
    mark(project)
    assert project.add_movie(path, entry.opening) == entry
    with pytest.raises(ProjectError, match="'film' has marks on 6 frames of 40 x 50 px, but opened so it has 40 frames"):
        project.add_movie(path, MovieSettings(axes="YTX"))
    assert project.movie("film").interval_s == 60


def test_without_marks_the_axes_may_change(project: Project, tmp_path: Path) -> None:
    assert project.annotations("film").shape == (6, 40, 50)
    project.add_movie(tmp_path / "film.tif", MovieSettings(axes="YTX"))
    assert project.annotations("film").shape == (40, 6, 50)


def test_another_channel_keeps_the_marks(project: Project, film: Film) -> None:
    path = film("two.tif", shape=(6, 2, 40, 50), axes="TCYX")
    name = project.add_movie(path).name
    mark(project, name)
    entry = project.add_movie(path, MovieSettings(channel=1))
    assert (entry.name, entry.shape, len(project.annotations(name).events)) == (name, (6, 1, 40, 50), 1)


def test_movies_of_one_name_are_told_apart(project: Project, film: Film) -> None:
    names = [
        project.add_movie(film(name, seed=i)).name for i, name in enumerate(["b/film.tif", "c/FILM.tif", "d/a b.ome.tif"], 1)
    ]
    assert names == ["film-2", "FILM-3", "a_b"]


def test_the_copy_is_complete_and_the_old_one_stays(project: Project, tmp_path: Path, film: Film) -> None:
    mark(project)
    inside = project.add_movie(shutil.copy(film("in.tif", seed=5), project.path / "in.tif")).name
    for name in ("heads/a/result.json", "features/x/0", "jobs/1/job.json"):
        (project.path / name).parent.mkdir(parents=True)
        (project.path / name).write_text("{}")
    project.save()
    before = project.path
    project.save_as(tmp_path / "deep" / "copy.tap")
    assert project.path == tmp_path / "deep" / "copy.tap"
    assert sorted(path.name for path in project.path.iterdir()) == [
        "heads", "in.tif", "jobs", "journal.jsonl", "masks", "project.json", "project.lock"
    ]  # fmt: skip
    assert (project.entry("film").path, project.entry(inside).path) == ("../../film.tif", "in.tif")
    mark(project, t=4)
    assert len(Project.open(before).annotations("film").events) == 1
    project.close()
    again = Project.open(project.path)
    assert (len(again.annotations("film").events), again.missing(), again.trouble) == (2, (), "")


def test_what_comes_while_files_are_copied_goes_along(project: Project, tmp_path: Path, film: Film) -> None:
    mark(project)
    project.save()
    copy = project.copy_to(tmp_path / "copy.tap")
    copy.take_files()
    assert copy.done_bytes > 0
    mark(project, t=4)
    project.add_movie(film("second.tif", seed=7))
    project.save()
    project.save_as(tmp_path / "copy.tap", copy)
    project.close()
    again = Project.open(tmp_path / "copy.tap")
    assert ([entry.name for entry in again.movies], len(again.annotations("film").events)) == (["film", "second"], 2)
    masks = open_masks(again.path / "masks" / "film.zarr", again.movie("film"))
    np.testing.assert_array_equal(masks.labels, again.annotations("film").labels)


def test_a_cancelled_copy_leaves_nothing_behind(project: Project, tmp_path: Path) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    copy = project.copy_to(tmp_path / "copy.tap")
    copy.cancel()
    copy.take_files()
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_two_names_of_one_file_stay_one_file_in_the_copy(project: Project, tmp_path: Path) -> None:
    for name in ("encoders/a", "heads/b"):
        (project.path / name).mkdir(parents=True)
    weights = project.path / "encoders" / "a" / "weights.safetensors"
    weights.write_bytes(b"0" * 1000)
    os.link(weights, project.path / "heads" / "b" / "weights.safetensors")
    project.save_as(tmp_path / "copy.tap")
    copied = tmp_path / "copy.tap" / "encoders" / "a" / "weights.safetensors"
    assert copied.samefile(tmp_path / "copy.tap" / "heads" / "b" / "weights.safetensors")
    assert not copied.samefile(weights)


def test_a_copy_that_fails_leaves_nothing_behind(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark(project)
    with pytest.raises(ProjectError, match="exists already and is not empty"):
        project.save_as(project.path)
    with pytest.raises(ProjectError, match="lies inside of the project itself"):
        project.save_as(project.path / "copy")
    before, path = sorted(path.name for path in tmp_path.iterdir()), project.path
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", full_disk)
        with pytest.raises(ProjectError, match=r"the project cannot be saved as .*No space left on device"):
            project.save_as(tmp_path / "copy.tap")
    assert (sorted(path.name for path in tmp_path.iterdir()), project.path) == (before, path)
    mark(project, t=4)
    assert project.trouble == ""


def test_a_second_window_cannot_write_but_saves_elsewhere(project: Project, tmp_path: Path) -> None:
    mark(project)
    second = Project.open(project.path)
    told: list[str] = []
    second.troubled.connect(told.append)
    assert "is open in another window" in second.trouble
    assert "is open in another window" in second.annotations("film").trouble
    before = (project.path / "journal.jsonl").read_bytes()
    mark(second, t=4)
    assert len(second.annotations("film").events) == 2
    assert not second.save()
    assert (project.path / "journal.jsonl").read_bytes() == before
    second.save_as(tmp_path / "mine.tap")
    assert (second.trouble, told[-1], len(second.annotations("film").events)) == ("", "", 2)
    assert len(Project.open(second.path).annotations("film").events) == 2
    mark(project, t=4)
    assert project.trouble == ""


def test_a_second_window_never_writes_what_it_has_not_read(project: Project, film: Film) -> None:
    second = Project.open(project.path)
    project.add_movie(film("second.tif", seed=7))
    mark(project, "second")
    project.close()
    second.set_cell_size("film", 12.0)
    mark(second)
    assert not second.save()
    assert "is open in another window" in second.trouble
    second.close()
    again = Project.open(project.path)
    assert ([entry.name for entry in again.movies], len(again.annotations("second").events)) == (["film", "second"], 1)
    assert again.trouble == ""


def test_a_project_file_that_something_else_has_changed_is_not_overwritten(project: Project, tmp_path: Path) -> None:
    card = project.path / "project.json"
    changed = card.read_text().replace('"cell_px": null', '"cell_px": 8')
    card.write_text(changed)
    project.set_cell_size("film", 12.0)
    assert "was changed by something else, so its movies and settings are not overwritten" in project.trouble
    assert card.read_text() == changed
    project.save_as(tmp_path / "mine.tap")
    project.set_cell_size("film", 14.0)
    assert project.trouble == ""
    assert Project.open(tmp_path / "mine.tap").entry("film").cell_px == 14


def test_a_full_disk_is_told_at_once_and_nothing_is_lost(project: Project, film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    a = project.annotations("film")
    told: list[str] = []
    project.troubled.connect(told.append)
    a.troubled.connect(told.append)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", full_disk)
        mark(project)
        assert "No space left on device; they are kept in memory only" in project.trouble
        assert a.trouble == project.trouble
        assert told == [a.trouble, a.trouble]
        assert len(a.events) == 1
        project.add_movie(film("second.tif", seed=7))
        assert not project.save()
        assert not a.save()
    assert project.save()
    assert (project.trouble, a.trouble, told[-1]) == ("", "", "")
    project.close()
    again = Project.open(project.path)
    assert ([entry.name for entry in again.movies], len(again.annotations("film").events)) == (["film", "second"], 1)


def test_a_project_that_cannot_be_made_may_live_in_memory(tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", full_disk)
        with pytest.raises(ProjectError, match="no project can be made"):
            Project.create(tmp_path / "a.tap")
        project = Project.create(tmp_path / "b.tap", anyway=True)
        assert "No space left on device" in project.trouble
        project.add_movie(film())
        mark(project)
    project.save_as(tmp_path / "c.tap")
    assert project.trouble == ""
    assert len(Project.open(tmp_path / "c.tap").annotations("film").events) == 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_folder_is_told_at_once(project: Project) -> None:
    mark(project)
    project.close()
    project.path.chmod(0o555)
    try:
        again = Project.open(project.path)
        assert "Permission denied; they are kept in memory only" in again.trouble
        mark(again, t=4)
        assert len(again.annotations("film").events) == 2
    finally:
        project.path.chmod(0o755)


def test_a_folder_that_refuses_new_files_is_told_at_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as above, for those who run the tests as the superuser."""

    def refuse(*_: Any) -> None:
        raise OSError(30, "Read-only file system")

    project.close()
    monkeypatch.setattr(os, "open", refuse)
    again = Project.open(project.path)
    assert "Read-only file system; they are kept in memory only" in again.trouble


def test_results_have_folders_of_their_own(project: Project) -> None:
    first, second = project.new_folder("heads", "head of film"), project.new_folder("heads", "head of film")
    assert [path.relative_to(project.path).as_posix() for path in (first, second)] == [
        "heads/head_of_film",
        "heads/head_of_film-2",
    ]
    assert project.heads() == ()
    for folder, time in ((second, 1000), (first, 2000)):
        (folder / "result.json").write_text("{}")
        os.utime(folder / "result.json", (time, time))
    assert project.heads() == (first, second)
    assert project.encoders() == project.maps() == ()
    (project.path / "maps").write_text("in the way")
    with pytest.raises(ProjectError, match="no folder can be made in"):
        project.new_folder("maps", "m")
