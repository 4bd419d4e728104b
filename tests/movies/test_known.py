"""Boxes that were looked at: outside of them nothing is known, and what is hidden never teaches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_tap_events.errors import MaskError
from napari_tap_events.events.criteria import label_movie
from napari_tap_events.events.crops import WindowGrid
from napari_tap_events.movies.known import NOWHERE, Known, read_known, write_known
from napari_tap_events.movies.masks import EventMasks, Scope, unknown_frame
from napari_tap_events.settings import LabelSettings


def masks(known: Known, scope: Scope = NOWHERE) -> EventMasks:
    labels = np.zeros((12, 40, 48), np.uint8)
    labels[4:6, 10:16, 10:16] = 1
    return EventMasks(labels, ("division", "death"), scope, known=known)


def labels_of(known: Known, scope: Scope = NOWHERE) -> np.ndarray:
    settings = LabelSettings(crop_px=12, area_px=4, criterion="any-both")
    return label_movie(masks(known, scope), WindowGrid(40, 48, 12, 4), settings)[:, 0]


def test_only_the_boxes_that_were_looked_at_are_known() -> None:
    labels = labels_of(Known((Scope(range(2, 8), 4, 24, 4, 24),)))
    assert (labels[2:7, 1:4, 1:4] >= 0).all()
    assert (labels >= 0).sum() == 5 * 9
    assert (labels[4] == 1).any()
    assert (labels[2] <= 0).all()


def test_what_is_hidden_is_unknown_even_inside_of_the_scope() -> None:
    whole = Scope.whole((12, 40, 48))
    box = Scope(range(3, 7), 0, 40, 0, 20)
    labels = labels_of(Known(hidden=(box,)), whole)
    assert not (labels == 1).any()
    assert (labels[2:7, :, :5] == -1).all()
    assert (labels[2:7, :, 5:] == 0).all()
    assert unknown_frame(masks(Known(hidden=(box,)), whole), 3).sum() == 40 * 20


def test_a_place_is_known_in_the_scope_and_in_boxes_but_not_where_it_is_hidden() -> None:
    seen, hidden = Scope(range(2, 8), 4, 24, 4, 24), Scope(range(2, 8), 4, 10, 4, 24)
    told = masks(Known((seen,), (hidden,)))
    assert told.knows(3, 15, 10)
    assert not told.knows(3, 5, 10)
    assert not told.knows(9, 15, 10)


def test_boxes_come_back_from_their_file(tmp_path: Path) -> None:
    known = Known((Scope(range(2, 8), 4, 24, 4, 24),), (Scope(range(1, 2), 0, 1, 0, 1),))
    write_known(tmp_path / "known.csv", known)
    assert read_known(tmp_path / "known.csv") == known


@pytest.mark.parametrize("line", ["seen,1,2,3,4,5", "guessed,1,2,3,4,5,6", "seen,a,2,3,4,5,6"])
def test_a_line_that_says_something_else_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "known.csv").write_text("what,t0,t1,y0,y1,x0,x1\nseen,1,2,3,4,5,6\n" + line + "\n")
    with pytest.raises(MaskError, match="line 3"):
        read_known(tmp_path / "known.csv")
