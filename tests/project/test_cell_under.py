"""The cell under the cursor: bright, dark or with a bright rim; never background."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from napari_tap_events.movies.synthetic import SyntheticMovie, SyntheticSettings, synthesise
from napari_tap_events.project.marking import cell_under

MOST_PX = 1500


def a_frame(contrast: float = 50.0, seed: int = 0) -> np.ndarray:
    """Noise of 5 around 100, with a cell of radius 9 at (40, 50) and a brighter one beyond it."""
    rows, columns = np.ogrid[:120, :130]
    frame = np.random.default_rng(seed).normal(100, 5, (120, 130))
    frame[(rows - 40) ** 2 + (columns - 50) ** 2 <= 81] += contrast
    frame[(rows - 40) ** 2 + (columns - 80) ** 2 <= 81] += 2 * contrast
    return frame


@pytest.mark.parametrize("contrast", [50.0, -40.0])
@pytest.mark.parametrize("click", [(40, 50), (46, 52), (35, 45)])
def test_a_bright_and_a_dark_cell_are_found_from_any_place_in_them(contrast: float, click: tuple[int, int]) -> None:
    rows, columns = np.indices((120, 130))
    cell = (rows - 40) ** 2 + (columns - 50) ** 2 <= 81
    found = np.zeros(cell.size, bool)
    found[cell_under(a_frame(contrast), *click, MOST_PX)] = True
    union = (found | cell.reshape(-1)).sum()
    assert (found & cell.reshape(-1)).sum() / union > 0.85


@pytest.mark.parametrize("click", [(90, 20), (10, 110), (100, 100), (62, 64)])
def test_background_is_no_cell(click: tuple[int, int]) -> None:
    assert len(cell_under(a_frame(), *click, MOST_PX)) == 0


def test_noise_is_no_cell() -> None:
    frame = np.random.default_rng(3).normal(100, 10, (200, 200))
    found = [len(cell_under(frame, y, x, MOST_PX)) > 0 for y in range(5, 200, 20) for x in range(5, 200, 20)]
    assert np.mean(found) < 0.05


def test_a_cell_larger_than_allowed_is_background() -> None:
    assert len(cell_under(a_frame(), 40, 50, 100)) == 0


def test_a_cell_at_the_border_of_the_frame_is_found() -> None:
    frame = a_frame()[:, 45:]
    assert len(cell_under(frame, 40, 2, MOST_PX)) > 100


@pytest.mark.parametrize("click", [(-1, 5), (5, -1), (120, 5), (5, 130)])
def test_outside_of_the_frame_there_is_no_cell(click: tuple[int, int]) -> None:
    assert len(cell_under(a_frame(), *click, MOST_PX)) == 0


def test_a_frame_that_is_all_alike_has_no_cell() -> None:
    assert len(cell_under(np.full((50, 50), 7, np.uint16), 20, 20, MOST_PX)) == 0


def found_share(made: SyntheticMovie, sign: int) -> float:
    """Return in how many events the cell was found, at the size that it has."""
    hits = []
    for row in made.events:
        frame = sign * made.movie.frame(row.t)[0].astype(float)
        pixels = cell_under(frame, row.y, row.x, MOST_PX)
        y, x = np.divmod(pixels, frame.shape[1])
        near = np.hypot(y - row.y, x - row.x) < 3 * row.radius + 3
        hits.append(len(pixels) > 0 and bool(near.all()))
    return float(np.mean(hits))


@pytest.mark.parametrize(("look", "sign", "share"), [("nuclei", 1, 0.8), ("nuclei", -1, 0.8), ("phase", 1, 0.5)])
def test_cells_of_synthetic_movies_are_found(look: Literal["nuclei", "phase"], sign: int, share: float) -> None:
    """Of two daughters in phase contrast, whose rims touch, both are taken together."""
    made = synthesise(SyntheticSettings(look=look, frames=14, seed=1))
    assert made.n_events >= 2
    assert found_share(made, sign) >= share


def test_the_dark_between_synthetic_nuclei_is_no_cell() -> None:
    from scipy.ndimage import gaussian_filter

    frame = synthesise(SyntheticSettings(look="nuclei", frames=2, seed=1)).movie.frame(0)[0].astype(float)
    dark = np.argwhere(gaussian_filter(frame, 5) < np.percentile(gaussian_filter(frame, 5), 20))
    chosen = dark[np.linspace(0, len(dark) - 1, 100).astype(int)]
    assert np.mean([len(cell_under(frame, y, x, MOST_PX)) > 0 for y, x in chosen]) < 0.1
