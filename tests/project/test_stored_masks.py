"""The mask on disk follows the marks, and only what has changed is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.movies.ome_zarr import open_map
from napari_tap_events.project import marking, stored_masks
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.history import Chronicle
from napari_tap_events.project.journal import Journal
from napari_tap_events.project.kinds import DEFAULT_KINDS

SHAPE = (8, 40, 50)


def opened(tmp_path: Path) -> Annotations:
    chronicle = Chronicle(Journal(tmp_path / "journal.jsonl"), DEFAULT_KINDS)
    return Annotations(SHAPE, chronicle=chronicle, movie="film").replay()


def stamp(a: Annotations, t: int) -> None:
    a.do(marking.stamp(a, DEFAULT_KINDS[0], t, 20, 20, 4))


def written(path: Path) -> np.ndarray:
    return np.asarray(open_map(path).array[:])


@pytest.fixture
def frames_written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Frames that are written from now on."""
    frames: list[int] = []
    original = zarr.Array.__setitem__

    def noted(array: zarr.Array, index: int, value: object) -> None:
        frames.append(index)
        original(array, index, value)

    monkeypatch.setattr(zarr.Array, "__setitem__", noted)
    return frames


def test_only_frames_that_changed_are_written_also_after_opening_again(tmp_path: Path, frames_written: list[int]) -> None:
    a, path = opened(tmp_path), tmp_path / "masks" / "film.zarr"
    stamp(a, 1)
    stamp(a, 5)
    stored_masks.write_masks(path, a)
    assert frames_written == [1, 2, 5, 6]
    stored_masks.write_masks(path, a)
    assert frames_written == [1, 2, 5, 6]
    again = opened(tmp_path)
    again.undo()
    again.do(marking.stamp(again, DEFAULT_KINDS[1], 3, 30, 40, 3))
    again.do(marking.mark_point(again, "nothing", 7, 1, 1, 1))
    stored_masks.write_masks(path, again)
    assert frames_written[4:] == [3, 4, 5, 6]
    np.testing.assert_array_equal(written(path), again.labels)


def test_a_mask_of_another_journal_is_written_anew(tmp_path: Path) -> None:
    a, path = opened(tmp_path), tmp_path / "film.zarr"
    stamp(a, 1)
    stored_masks.write_masks(path, a)
    (tmp_path / "journal.jsonl").unlink()
    other = opened(tmp_path)
    stamp(other, 4)
    stored_masks.write_masks(path, other)
    np.testing.assert_array_equal(written(path), other.labels)


@pytest.mark.parametrize("damage", ["0/zarr.json", "zarr.json"])
def test_a_damaged_mask_is_written_anew(tmp_path: Path, damage: str) -> None:
    a, path = opened(tmp_path), tmp_path / "film.zarr"
    stamp(a, 1)
    stored_masks.write_masks(path, a)
    (path / damage).write_text("{")
    stored_masks.write_masks(path, a)
    np.testing.assert_array_equal(written(path), a.labels)


def test_a_mask_whose_writing_was_cut_short_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, path = opened(tmp_path), tmp_path / "film.zarr"
    stored_masks.write_masks(path, a)
    stamp(a, 1)
    with monkeypatch.context() as cut:
        cut.setattr(zarr.Array, "__setitem__", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(ProjectError, match=r"the mask cannot be written to .*No space left on device"):
            stored_masks.write_masks(path, a)
    stored_masks.write_masks(path, opened(tmp_path))
    np.testing.assert_array_equal(written(path), a.labels)


def test_a_mask_tells_its_scale_and_kinds(tmp_path: Path) -> None:
    a = opened(tmp_path)
    movie = movie_from_array(np.zeros(SHAPE, "uint8"), pixel_size_um=0.5, interval_s=60)
    stored_masks.write_masks(tmp_path / "film.zarr", a, movie)
    stored = open_map(tmp_path / "film.zarr")
    assert (stored.pixel_size_um, stored.interval_s, stored.array.dtype) == (0.5, 60, np.uint8)
    group = zarr.open_group(str(tmp_path / "film.zarr"), mode="r")
    assert group.attrs["napari_tap_events_marks"] == {"journal": [0, ""], "kinds": {"1": "division", "2": "death"}}
