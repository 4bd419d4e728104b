"""Masks fit their movie; marks become discs and discs become marks again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given
from hypothesis import strategies as st

from napari_tap_events.errors import MaskError
from napari_tap_events.movies.marked_points import MarkedPoint, gathered_events, read_marked_points
from napari_tap_events.movies.masks import (
    EventMasks,
    Scope,
    UncertainZone,
    events_in_masks,
    masks_from_events,
    open_masks,
    save_masks,
    unknown_frame,
)
from napari_tap_events.movies.movie import Movie, movie_from_array
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.movies.synthetic import SyntheticSettings, synthesise

SHAPE = (6, 40, 50)
DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


def a_movie() -> Movie:
    return movie_from_array(np.zeros(SHAPE, "uint8"), name="film")


def a_mask() -> np.ndarray:
    labels = np.zeros(SHAPE, "uint8")
    labels[1, 10:16, 10:16] = 1
    labels[2, 8:12, 10:14] = 1
    labels[2, 16:20, 10:14] = 1
    labels[3:5, 30:35, 30:35] = 2
    return labels


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32", "int64"])
@pytest.mark.parametrize("kind", ["tif", "plain.tif", "imagej.tif", "zarr", "ome.zarr"])
def test_masks_of_every_type_and_packing(tmp_path: Path, dtype: str, kind: str) -> None:
    path = tmp_path / f"mask.{kind}"
    labels = a_mask().astype(dtype)
    if kind == "imagej.tif":
        tifffile.imwrite(path, a_mask(), imagej=True, metadata={"axes": "ZYX"})
    elif kind.endswith("tif"):
        tifffile.imwrite(path, labels, photometric="minisblack", metadata={"axes": "TYX"} if kind == "tif" else None)
    elif kind == "zarr":
        zarr.create_array(str(path), data=labels)
    else:
        group = zarr.open_group(str(path), mode="w")
        group.create_array("0", data=labels[:, None])
        group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": list("tcyx"), "datasets": [{"path": "0"}]}]}
    masks = open_masks(path, a_movie())
    assert (masks.labels.dtype, masks.kinds, masks.scope) == (np.dtype("uint8"), ("division", "death"), Scope.whole(SHAPE))
    np.testing.assert_array_equal(masks.labels, a_mask())


def test_saved_masks_come_back(tmp_path: Path) -> None:
    save_masks(tmp_path / "m.tif", a_mask())
    np.testing.assert_array_equal(open_masks(tmp_path / "m.tif", a_movie()).labels, a_mask())
    assert open_movie(tmp_path / "m.tif").file_axes == "TYX"


def fractional() -> Any:
    labels = a_mask().astype("float32")
    labels[2, 3, 4] = 0.5
    return labels


def too_high() -> Any:
    labels = a_mask().astype("uint16")
    labels[2, 3, 4] = 300
    return labels


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.zeros((5, 40, 50), "uint8"), r"has shape \(5, 40, 50\), but the movie 'film' is \(6, 40, 50\) \(T, Y, X\)"),
        (np.zeros((6, 50, 40), "uint8"), r"has shape \(6, 50, 40\), but the movie 'film' is \(6, 40, 50\)"),
        (np.zeros(SHAPE, "uint8"), "marks no event: all of its pixels are 0; mark some events"),
        (np.full(SHAPE, 7, "uint8"), "is painted on 100% of its pixels, as a movie is; .* the right way round"),
        (fractional(), "has pixels in frame 2 that are no whole numbers"),
        (too_high(), "has the value 300 in frame 2; a mask holds 0 for no event, 1 for division"),
        (a_mask().astype("int16") - 1, "has the value -1 in frame 0"),
        (a_mask().astype("complex64"), "has pixels of type complex64"),
        (np.stack([a_mask()] * 3, axis=-1), "is a colour image"),
    ],
)
def test_a_mask_that_does_not_fit_is_told(tmp_path: Path, labels: np.ndarray, sentence: str) -> None:
    colour = labels.ndim == 4
    tifffile.imwrite(
        tmp_path / "m.tif",
        labels,
        photometric="rgb" if colour else "minisblack",
        metadata={"axes": "TYXS" if colour else "TYX"},
    )
    with pytest.raises(MaskError, match=sentence):
        open_masks(tmp_path / "m.tif", a_movie())


def test_a_mask_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MaskError, match="the mask cannot be opened: there is no file"):
        open_masks(tmp_path / "m.tif", a_movie())


def test_values_beyond_the_kinds_get_a_name(tmp_path: Path) -> None:
    labels = a_mask()
    labels[5, 0, 0] = 4
    save_masks(tmp_path / "m.tif", labels)
    assert open_masks(tmp_path / "m.tif", a_movie()).kinds == ("division", "death", "kind 3", "kind 4")


def test_uncertain_rows_become_zones(tmp_path: Path) -> None:
    save_masks(tmp_path / "m.tif", a_mask())
    (tmp_path / "e.csv").write_text(
        'event_id,kind,role,t,y,x,radius,certainty,note\n1,division,mother,1,12,12,8,certain,"a, b"\n'
        "2,uncertain,,3,5,6,4,uncertain,\n"
    )
    masks = open_masks(tmp_path / "m.tif", a_movie(), tmp_path / "e.csv", Scope(range(1, 99), -3, 30, 5, 99))
    assert masks.uncertain == (UncertainZone(3, 5.0, 6.0, 4.0),)
    assert masks.scope == Scope(range(1, 6), 0, 30, 5, 50)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kind,t,y\ndivision,1,2\n", "has no column 'x'; it needs kind, t, y and x"),
        ("kind,t,y,x\ndivision,one,2,3\n", "line 2 of the events table 'e.csv' cannot be read: t is 'one'; write a number"),
        ("kind,t,y,x\ndivision,1,2\n", "line 2 of the events table 'e.csv' cannot be read: x is ''; write a number"),
        ("kind,t,y,x\ndivision,1,2,3\ndivision,nan,2,3\n", "line 3 of the events table .* t is 'nan'; write a number"),
        ("kind,t,y,x\ndivision,inf,2,3\n", "t is 'inf'; write a number"),
        ("kind,t,y,x\ndivision,1,nan,3\n", "y is 'nan'; write a number"),
        ("kind,t,y,x\ndivision,1,2,-inf\n", "x is '-inf'; write a number"),
        ("kind,t,y,x,radius\nuncertain,1,2,3,-3\n", "radius is -3; write pixels above 0, or leave it empty"),
        ("kind,t,y,x,radius\nuncertain,1,2,3,0\n", "radius is 0; write pixels above 0"),
        ("kind,t,y,x,radius\nuncertain,1,2,3,nan\n", "radius is 'nan'; write a number"),
    ],
)
def test_a_bad_table_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "e.csv").write_text(text)
    with pytest.raises(MaskError, match=sentence):
        read_marked_points(tmp_path / "e.csv")


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MaskError, match="cannot be read"):
        read_marked_points(tmp_path / "e.csv")


def test_discs_lie_in_both_frames_of_an_event() -> None:
    rows = [
        MarkedPoint("a", "division", 2, 10, 12),
        MarkedPoint("a", "division", 3, 14, 12),
        MarkedPoint("b", "fusion", 5, 30, 40),
        MarkedPoint("c", "uncertain", 1, 5, 5, 3.0),
    ]
    masks = masks_from_events(rows, (6, 1, 40, 50), 4)
    assert (masks.shape, masks.kinds) == (SHAPE, ("division", "death", "fusion"))
    assert masks.labels[2, 12, 12] == masks.labels[3, 12, 12] == masks.labels[2, 12, 16] == 1
    assert masks.labels[2, 12, 17] == masks.labels[1].max() == masks.labels[4].max() == 0
    assert masks.labels[5, 30, 40] == 3
    assert masks.uncertain == (UncertainZone(1, 5, 5, 3.0),)
    with pytest.raises(MaskError, match=r"division at frame 6, y 1, x 1 is outside of the movie \(6, 40, 50\)"):
        masks_from_events([MarkedPoint("a", "division", 6, 1, 1)], SHAPE, 4)


def test_nothing_is_known_outside_the_scope_and_around_uncertain_marks() -> None:
    masks = EventMasks(a_mask(), ("division",), Scope(range(1, 6), 5, 40, 0, 45), (UncertainZone(4, 20, 20, 3),))
    assert unknown_frame(masks, 0).all()
    first = unknown_frame(masks, 1)
    assert first[:5].all()
    assert first[:, 45:].all()
    assert not first[5:, :45].any()
    near = unknown_frame(masks, 2, margin_px=2)
    assert near[20, 25]
    assert not near[20, 26]
    assert not unknown_frame(masks, 2)[20, 24]
    assert unknown_frame(EventMasks(a_mask(), ("division",), Scope.whole(SHAPE), (UncertainZone(0, 5, 5, 1),)), 3)[5, 5]
    assert not unknown_frame(EventMasks(a_mask(), ("division",), Scope.whole(SHAPE), (UncertainZone(0, 5, 5, 1),)), 4).any()


def test_a_mother_and_her_daughters_are_one_event() -> None:
    events = events_in_masks(EventMasks(a_mask(), ("division", "death"), Scope.whole(SHAPE)))
    assert [(e.t, e.kind) for e in events] == [(1, "division"), (3, "death")]
    assert (events[0].y, events[0].x) == pytest.approx(((12.5 + 9.5 + 17.5) / 3, (12.5 + 11.5 + 11.5) / 3))
    assert (events[1].y, events[1].x) == (32, 32)


def test_neighbours_one_frame_apart_stay_two_events() -> None:
    rows = [MarkedPoint("a", "division", 1, 15, 15), MarkedPoint("b", "division", 2, 29, 15)]
    events = events_in_masks(masks_from_events(rows, SHAPE, 6))
    assert [(e.t, e.y, e.x) for e in events] == [(1, 15, 15), (2, 29, 15)]


def test_other_kinds_at_the_same_place_stay_apart() -> None:
    labels = np.zeros(SHAPE, "uint8")
    labels[1, 5:10, 5:10] = 1
    labels[2, 5:10, 5:10] = 2
    events = events_in_masks(EventMasks(labels, ("division", "death"), Scope.whole(SHAPE)))
    assert [(e.t, e.kind) for e in events] == [(1, "division"), (2, "death")]


def test_the_pieces_of_a_dead_cell_are_one_event() -> None:
    labels = np.zeros(SHAPE, "uint8")
    labels[2, 10:20, 10:20] = 2
    for y, x in ((8, 8), (8, 20), (20, 8), (22, 22), (14, 14)):
        labels[3, y : y + 3, x : x + 3] = 2
    (event,) = events_in_masks(EventMasks(labels, ("division", "death"), Scope.whole(SHAPE)))
    assert (event.t, event.kind) == (2, "death")


@pytest.mark.parametrize("look", ["nuclei", "phase"])
def test_the_events_of_a_synthetic_movie_are_found_in_its_mask(look: Literal["nuclei", "phase"]) -> None:
    made = synthesise(SyntheticSettings(look=look, frames=60, seed=2))
    found = events_in_masks(EventMasks(made.labels, ("division", "death"), Scope.whole(made.labels.shape)))
    rows = [MarkedPoint(str(row.event_id), row.kind, row.t, row.y, row.x) for row in made.events]
    told = gathered_events(rows)
    assert len(found) == len(told) > 10
    for event in told:
        assert any((f.t, f.kind) == (event.t, event.kind) and np.hypot(f.y - event.y, f.x - event.x) < 6 for f in found), event


def test_a_mark_that_stays_is_one_event() -> None:
    labels = np.zeros(SHAPE, "uint8")
    labels[1:6, 5:10, 5:10] = 2
    assert len(events_in_masks(EventMasks(labels, ("division", "death"), Scope.whole(SHAPE)))) == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 3), st.sampled_from(["division", "death"])),
        unique_by=lambda e: e[1:3],
    )
)
def test_events_that_are_stamped_far_apart_are_found_again(places: list[tuple[int, int, int, str]]) -> None:
    rows = [MarkedPoint(str(i), kind, t, 20 + 40 * j, 20 + 40 * k) for i, (t, j, k, kind) in enumerate(places)]
    found = events_in_masks(masks_from_events(rows, (6, 160, 160), 5))
    assert [tuple(e) for e in found] == sorted((r.t, r.y, r.x, r.kind) for r in rows)


frames_and_sides = st.tuples(*[st.integers(-5, 60)] * 6)


@given(frames_and_sides, st.integers(0, 5))
def test_a_scope_that_is_clipped_means_the_same(numbers: tuple[int, ...], t: int) -> None:
    start, stop, y0, y1, x0, x1 = numbers
    scope = Scope(range(start, stop), y0, y1, x0, x1)
    known = ~unknown_frame(EventMasks(np.zeros(SHAPE, "uint8"), (), scope.clipped(SHAPE)), t)
    for y, x in ((0, 0), (7, 49), (39, 3), (20, 20)):
        assert known[y, x] == scope.contains(t, y, x)


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared movies are not here")
@pytest.mark.parametrize(("name", "n_events", "n_uncertain"), [("hela_h2b", 14, 5), ("t98g_phase_left", 3, 2)])
def test_the_events_of_real_masks_are_those_of_their_tables(name: str, n_events: int, n_uncertain: int) -> None:
    table = DATA / f"{name}_events.csv"
    masks = open_masks(DATA / f"{name}_eventmask.tif", open_movie(DATA / f"{name}.tif"), table)
    found, told = events_in_masks(masks), gathered_events(read_marked_points(table))
    assert (len(found), len(masks.uncertain)) == (n_events, n_uncertain)
    for event, row in zip(found, told, strict=True):
        assert (event.t, event.kind) == (row.t, row.kind)
        assert np.hypot(event.y - row.y, event.x - row.x) < 6
