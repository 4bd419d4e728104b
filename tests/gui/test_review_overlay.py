"""The map of a review in the viewer: there before anything is mapped, and plain about what nobody has proven yet."""

from __future__ import annotations

import numpy as np
import pytest

from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.review_overlay import NAME, NONE_YET, OVERLAY, PROVISIONAL, SKETCH
from napari_tap_events.gui.review_work import BACK_AGAIN
from napari_tap_events.gui.review_work import PROVISIONAL as SENTENCE
from napari_tap_events.movies.ome_zarr import create_map, open_map

from .reviewing import SHAPE, Bench

SIZE = (SHAPE[0] - 1, SHAPE[1] // 4, SHAPE[2] // 4)
HEAD = "heads/review-movie-1"


@pytest.fixture
def bench(make_napari_viewer, tmp_path):
    """A review that has begun, whose worker has made an empty map (`proven`), and a viewer at frame 7."""
    made = Bench(make_napari_viewer(show=True), tmp_path)
    made.begin()
    made.proven = written(made, OVERLAY)
    made.viewer.dims.set_current_step(0, 7)
    made.say(what="ready", head=HEAD, answers=3)
    yield made
    made.close()


def written(bench, name, size=SIZE):
    return create_map(bench.desk.folder / name, size, name="probability", stride_px=4, offset_px=1.5, overwrite=True)


def seen(bench) -> float:
    """Return the highest probability on screen."""
    return float(np.max(bench.desk.overlay.layer._slice.image.raw))


@pytest.fixture
def taught(bench):
    """The head in use says 0.25 everywhere; another one is taught, which says 0.75 of frame 7, and is not proven."""
    bench.proven[:] = 0.25
    bench.say(what="frame", t=7, head=HEAD)
    bench.panel.work.learn(10, 7)
    written(bench, SKETCH)[7] = 0.75
    bench.say(what="frame", t=7, head=HEAD, provisional=True)
    return bench


def test_the_layer_is_there_before_anything_is_mapped_and_says_that_nothing_is(bench):
    layer = bench.desk.overlay.layer
    assert (layer.name, layer.visible, seen(bench)) == (NONE_YET, True, 0.0)
    bench.proven[7] = 0.25
    bench.say(what="frame", t=7, head=HEAD)
    assert (bench.desk.overlay.layer, layer.name, seen(bench)) == (layer, NAME, 0.25)
    assert bench.viewer.dims.current_step[0] == 7


def test_a_map_of_an_earlier_session_is_there_at_once(make_napari_viewer, tmp_path):
    bench = Bench(make_napari_viewer(show=True), tmp_path)
    written(bench, OVERLAY)[:] = 0.25
    bench.begin()
    assert (bench.desk.overlay.layer.name, seen(bench)) == (NAME, 0.25)
    bench.close()


def test_other_maps_make_way_and_come_again_after_it(bench):
    others = [bench.viewer.add_image(np.zeros(SIZE), name=role, metadata={ROLE: role}) for role in ("evidence", "arrow")]
    others[1].visible = False
    bench.desk.overlay.clear()
    bench.desk.overlay.put_up()
    assert [layer.visible for layer in (*others, bench.desk.overlay.layer)] == [False, False, True]
    bench.desk.overlay.clear()
    assert [layer.visible for layer in others] == [True, False]


def test_of_frames_that_are_not_on_screen_nothing_is_read(bench, monkeypatch):
    def read(path):
        raise AssertionError(f"{path} was read")

    bench.say(what="frame", t=7, head=HEAD)
    monkeypatch.setattr("napari_tap_events.gui.review_overlay.open_map", read)
    for t in (6, 8, 9):
        bench.say(what="frame", t=t, head=HEAD)
    with pytest.raises(AssertionError, match="was read"):
        bench.desk.overlay.refresh(7)


def test_what_is_not_proven_is_named_so_in_the_layer_and_in_a_sentence(taught):
    assert (taught.desk.overlay.layer.name, seen(taught)) == (PROVISIONAL, 0.75)
    assert SENTENCE in taught.desk.state.text()


def test_a_frame_that_is_drawn_by_another_head_that_is_not_proven_is_shown_anew(taught):
    open_map(taught.desk.folder / SKETCH, writable=True).array[7] = 0.625
    taught.say(what="frame", t=7, head=HEAD, provisional=True)
    assert (taught.desk.overlay.layer.name, seen(taught)) == (PROVISIONAL, 0.625)


def test_in_other_frames_the_head_in_use_speaks_until_they_are_drawn_anew(taught, qtbot):
    taught.viewer.dims.set_current_step(0, 9)
    assert (taught.desk.overlay.layer.name, seen(taught)) == (NAME, 0.25)
    taught.say(what="frame", t=9, head=HEAD)
    qtbot.waitUntil(lambda: {"order": "look", "first": 9} in taught.link.orders)
    taught.viewer.dims.set_current_step(0, 7)
    assert (taught.desk.overlay.layer.name, seen(taught)) == (PROVISIONAL, 0.75)


def test_a_refused_head_is_taken_off_the_screen_at_once_and_that_is_said(taught):
    taught.say(what="head", accepted=False, words="The new head is worse and was not taken.", in_use=HEAD)
    assert (taught.desk.overlay.layer.name, seen(taught)) == (NAME, 0.25)
    assert f"was not taken. {BACK_AGAIN}" in taught.desk.state.text()
    assert SENTENCE not in taught.desk.state.text()


def test_an_accepted_head_is_provisional_until_its_map_proper_is_there(taught):
    taught.say(what="head", accepted=True, words="The new head was taken.", in_use="heads/review-movie-2")
    assert taught.desk.overlay.layer.name == PROVISIONAL
    taught.proven[7] = 0.5
    taught.say(what="frame", t=7, head="heads/review-movie-2")
    assert (taught.desk.overlay.layer.name, seen(taught)) == (NAME, 0.5)
    assert "The new head was taken." in taught.desk.state.text()


@pytest.mark.parametrize("message", [{"what": "error", "order": "retrain", "message": "no."}, {"what": "ready", "head": HEAD}])
def test_nothing_stays_provisional_of_a_lesson_that_failed_or_was_lost(taught, message):
    taught.say(**message)
    assert (taught.desk.overlay.layer.name, seen(taught)) == (NAME, 0.25)


def test_a_name_that_the_person_gave_stays_and_so_does_a_layer_that_was_taken_away(taught):
    taught.desk.overlay.layer.name = "mine"
    taught.panel.work.go_back(HEAD)
    assert taught.desk.overlay.layer.name == "mine"
    taught.viewer.layers.remove(taught.desk.overlay.layer)
    taught.say(what="frame", t=7, head=HEAD)
    assert len(taught.viewer.layers) == 1


def test_a_map_of_another_size_takes_the_place_of_the_old_in_the_layer_as_it_was_set(bench):
    layer, end = bench.desk.overlay.layer, bench.desk.overlay.layer.extent.world[1]
    layer.opacity = 0.3
    written(bench, OVERLAY, (SIZE[0], 10, 12))[7] = 0.5
    bench.say(what="frame", t=7, head=HEAD)
    assert (bench.desk.overlay.layer, layer.opacity, layer.data.shape) == (layer, 0.3, (SIZE[0], 10, 12))
    assert (layer.extent.world[1] < end)[1:].all()
    assert seen(bench) == 0.5
