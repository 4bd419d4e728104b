"""The annotated scope: outside of it nothing is an event, and nothing is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_tap_events.errors import ScopeError, SettingsError
from napari_tap_events.events.criteria import label_movie
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.events.curriculum import LabelledMovie, make_curriculum
from napari_tap_events.jobs.labelled import Labelled, marks_hash, scope_of, truth_of
from napari_tap_events.movies.known import Known
from napari_tap_events.movies.masks import EventMasks, Scope, UncertainZone
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.settings import HeadSettings

MOVIE = movie_from_array(np.zeros((24, 40, 48), np.uint8))


def settings(**changes) -> HeadSettings:
    return HeadSettings(**{"encoder": "intensity", "crop_px": 12, "area_px": 4, "criterion": "any-both", **changes})


def marked(scope: Scope) -> EventMasks:
    labels = np.zeros((24, 40, 48), np.uint8)
    for t in (2, 9, 12, 15, 20):
        labels[t : t + 2, 10:16, 10:16] = 1
    return EventMasks(labels, ("division", "death"), scope)


def test_frames_and_region_are_read_as_in_python():
    scope = scope_of(MOVIE, settings(scope_frames="6:", scope_region="4:-4,:24"))
    assert scope == Scope(range(6, 24), 4, 36, 0, 24)
    assert scope_of(MOVIE, settings()) == Scope.whole(MOVIE.shape)


@pytest.mark.parametrize("region", ["4:8", "a:b,:", "0:4,0:4,0:4", "30:10,:", "4,8"])
def test_a_region_that_is_none_is_refused(region):
    with pytest.raises(SettingsError, match="scope_region"):
        scope_of(MOVIE, settings(scope_region=region))


def test_windows_that_leave_the_scope_are_unknown_and_blocks_keep_to_its_frames():
    chosen = settings(scope_frames="6:20", scope_region=":,0:24", folds=3)
    masks = marked(scope_of(MOVIE, chosen))
    labels = label_movie(masks, WindowGrid(40, 48, 12, 4), chosen)
    known = labels[:, 0] >= 0
    assert known[6:19, :, :4].all()
    assert not known[:6].any()
    assert not known[19:].any()
    assert not known[..., 4:].any()
    curriculum = make_curriculum([LabelledMovie(labels, pd.DataFrame())], chosen, seed=0)
    pairs = [t for blocks in curriculum.blocks for t in blocks[0].pairs]
    assert pairs == list(range(6, 19))


def test_events_outside_of_the_scope_count_neither_way(tmp_path):
    masks = marked(Scope(range(6, 20), 0, 40, 0, 48))
    truth = truth_of(Labelled(tmp_path / "movie.tif", tmp_path / "masks.tif"), masks)
    assert truth["t"].tolist() == [2, 9, 12, 15, 20]
    assert truth["kind"].tolist() == ["uncertain", "division", "division", "division", "uncertain"]


def test_a_scope_that_holds_no_crop_is_told():
    chosen = settings(scope_region="0:8,:")
    labels = label_movie(marked(scope_of(MOVIE, chosen)), WindowGrid(40, 48, 12, 4), chosen)
    with pytest.raises(ScopeError, match="no crop lies within"):
        make_curriculum([LabelledMovie(labels, pd.DataFrame())], chosen, seed=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": np.zeros((24, 40, 48), np.uint8)},
        {"kinds": ("death", "division")},
        {"scope": Scope(range(5), 0, 40, 0, 48)},
        {"uncertain": (UncertainZone(3, 5.0, 6.0, 4.0),)},
        {"known": Known(hidden=(Scope(range(5), 0, 9, 0, 9),))},
    ],
)
def test_marks_are_told_apart_by_all_that_teaches_or_is_asked(changes):
    masks = marked(Scope.whole(MOVIE.shape))
    truth = pd.DataFrame({"t": [2], "y": [13.0], "x": [13.0], "kind": ["division"], "status": ["confirmed"]})
    before = marks_hash([masks], [truth])
    assert marks_hash([marked(Scope.whole(MOVIE.shape))], [truth.copy()]) == before
    assert marks_hash([replace(masks, **changes)], [truth]) != before
    assert marks_hash([masks], [truth.assign(kind="uncertain")]) != before
