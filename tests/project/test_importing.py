"""Masks and tables become marks, and marks become masks and tables that mean the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_tap_events.errors import ProjectError
from napari_tap_events.events.table import write_events
from napari_tap_events.movies.marked_points import MarkedPoint, read_marked_points
from napari_tap_events.movies.masks import open_masks
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.project import marking
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.exporting import export_masks, marked_table
from napari_tap_events.project.importing import import_events, import_masks
from napari_tap_events.project.kinds import DEFAULT_KINDS

SHAPE = (6, 60, 70)


def a_movie() -> Movie:
    return movie_from_array(np.zeros(SHAPE, "uint8"), name="film", pixel_size_um=0.5, interval_s=60)


def marked() -> Annotations:
    a = Annotations(SHAPE)
    a.do(marking.stamp(a, DEFAULT_KINDS[0], 1, 15, 15, 5))
    a.do(marking.stamp(a, DEFAULT_KINDS[1], 3, 40, 40, 4))
    a.do(marking.mark_point(a, "uncertain", 2, 50.5, 20, 6))
    a.do(marking.mark_point(a, "nothing", 2, 20, 50, 6))
    return a


@pytest.mark.parametrize("name", ["m.tif", "m.zarr", "m.ome.zarr"])
def test_exported_masks_are_imported_again(tmp_path: Path, name: str) -> None:
    a = marked()
    export_masks(a, tmp_path / name, a_movie())
    labels = open_masks(tmp_path / name, a_movie()).labels
    np.testing.assert_array_equal(labels, a.labels)
    again = Annotations(SHAPE)
    again.do(import_masks(again, labels))
    np.testing.assert_array_equal(again.labels, a.labels)
    again.undo()
    assert not again.labels.any()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_exporting_again_replaces_a_mask_but_never_another_folder(tmp_path: Path) -> None:
    a = marked()
    for _ in range(2):
        export_masks(a, tmp_path / "m.zarr")
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "thesis.txt").write_text("years of work")
    with pytest.raises(ProjectError, match="is a folder that holds something else"):
        export_masks(a, tmp_path / "mine.zarr")
    assert (tmp_path / "mine.zarr" / "thesis.txt").exists()


def test_a_mask_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="the mask cannot be written to"):
        export_masks(marked(), tmp_path / "no folder" / "m.tif")


def test_imported_masks_lie_over_the_marks() -> None:
    a = marked()
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 15, 15:40] = 2
    a.do(import_masks(a, labels))
    assert (a.labels[1, 15, 15:40] == 2).all()
    assert (a.labels[1, 14, 15], a.labels[2, 15, 15]) == (1, 1)


def test_a_mask_of_another_size_is_told() -> None:
    with pytest.raises(ProjectError, match=r"the mask has the shape \(6, 60, 71\), the movie \(6, 60, 70\)"):
        import_masks(Annotations(SHAPE), np.zeros((6, 60, 71), np.uint8))


def test_an_exported_table_is_imported_again(tmp_path: Path) -> None:
    a = marked()
    write_events(tmp_path / "e.csv", marked_table(a, a_movie()))
    again = Annotations(SHAPE)
    again.do(import_events(again, read_marked_points(tmp_path / "e.csv"), radius_px=5))
    assert [tuple(region.event) for region in again.events] == [tuple(region.event) for region in a.events]
    (point,) = again.points
    assert (point.t, point.y, point.x, point.radius_px, point.meaning) == (2, 50.5, 20, 6, "uncertain")
    again.undo()
    assert not again.labels.any()
    assert (again.points, again.can_undo) == ((), False)


def test_a_table_tells_time_and_place_in_units_and_leaves_out_where_nothing_is() -> None:
    table = marked_table(marked(), a_movie())
    assert table["kind"].tolist() == ["division", "death", "uncertain"]
    assert table["t_s"].tolist() == [60, 180, 120]
    assert table["y_um"].tolist() == [7.5, 20, 25.25]
    assert table["radius"].tolist() == pytest.approx([5, 4, 6], abs=0.3)


def test_new_kinds_of_a_table_are_added_in_the_same_step() -> None:
    a = Annotations(SHAPE)
    a.do(import_events(a, [MarkedPoint("1", "fusion", 1, 20, 20), MarkedPoint("2", "division", 1, 40, 40)], 4))
    assert a.counts() == {"division": 1, "death": 0, "fusion": 1}
    assert a.kinds[-1].value == 3
    a.undo()
    assert a.kinds == DEFAULT_KINDS


def test_events_of_a_table_that_touch_stay_two() -> None:
    a = Annotations(SHAPE)
    a.do(import_events(a, [MarkedPoint("1", "division", 1, 20, 20), MarkedPoint("2", "division", 1, 20, 26)], 4))
    assert a.counts()["division"] == 2


@pytest.mark.parametrize("kind", ["division", "uncertain"])
def test_an_event_outside_of_the_movie_is_told(kind: str) -> None:
    with pytest.raises(ProjectError, match=f"the {kind} at frame 6, y 1, x 1 lies outside"):
        import_events(Annotations(SHAPE), [MarkedPoint("1", kind, 6, 1, 1)], 4)
