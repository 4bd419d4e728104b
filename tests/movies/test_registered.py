"""Beside a registered movie lies where its frames were before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_tap_events.movies.registered import ENDING, corners_of, write_corners


def test_corners_come_back_for_the_registered_movie_alone(tmp_path: Path) -> None:
    corners = np.array([[0, 0], [-3, 4], [12, -7]])
    write_corners(tmp_path, corners)
    np.testing.assert_array_equal(corners_of(tmp_path / f"film{ENDING}"), corners)
    assert corners_of(tmp_path / "film.tif") is None
    assert corners_of(tmp_path / "elsewhere" / f"film{ENDING}") is None


@pytest.mark.parametrize("text", ["", "t,y,x\n", "t,y,x\n0,1,2\n2,1,2\n", "t,y\n0,1\n", "t,y,x\n0,a,2\n"])
def test_a_damaged_table_tells_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "shifts.csv").write_text(text)
    assert corners_of(tmp_path / f"film{ENDING}") is None
