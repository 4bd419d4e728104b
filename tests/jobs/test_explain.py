"""The recipe `explain`: maps from 0 to 1 and ranked places, for heads and for the arrow of time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_tap_events.errors import ModelError
from napari_tap_events.jobs.explain import explain
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.train import train
from napari_tap_events.movies.ome_zarr import open_map
from napari_tap_events.settings import ExplainSettings

SETTINGS = ExplainSettings(insets=5, inset_px=12)


def checked(out, stride_px: int) -> None:
    stored = open_map(out / "grad_cam.ome.zarr")
    values = np.asarray(stored.array, np.float32)
    assert (stored.stride_px, stored.offset_px) == (stride_px, (stride_px - 1) / 2)
    assert values.shape == (23, 56 // stride_px, 64 // stride_px)
    assert values.min() >= 0
    assert 0.9 < values.max() <= 1
    insets = pd.read_csv(out / "insets.csv")
    assert insets["rank"].tolist() == list(range(1, len(insets) + 1))
    assert insets["value"].is_monotonic_decreasing
    assert insets["y"].between(0, 55).all()
    assert insets["x"].between(0, 63).all()


def test_a_head_is_explained_beside_its_own_evidence(marked, head, finish, tmp_path):
    out = finish(explain(marked.movie, SETTINGS, Run(tmp_path / "out"), head=head))
    checked(out, 2)
    assert np.asarray(open_map(out / "evidence.ome.zarr").array).min() >= 0


def test_the_arrow_of_time_is_explained(marked, encoder, finish, tmp_path):
    out = finish(explain(marked.movie, SETTINGS, Run(tmp_path / "out"), encoder=encoder))
    checked(out, 1)
    assert not (out / "evidence.ome.zarr").exists()


def test_an_encoder_of_simulated_movies_is_explained_at_the_scale_at_which_it_detects(marked, finish, tmp_path):
    def map_with(name: str, **changes: float) -> np.ndarray:
        settings = SETTINGS.model_copy(update={"frames": "0:4", **changes})
        out = finish(explain(marked.movie, settings, Run(tmp_path / name), encoder=Path("shipped")))
        return np.asarray(open_map(out / "grad_cam.ome.zarr").array, np.float32)

    plain, small, twice, large = (
        map_with("plain"),
        map_with("small", radius_px=7),
        map_with("twice", scale=2),
        map_with("large", radius_px=28),
    )
    assert {each.shape for each in (plain, small, large)} == {(3, 56, 64)}
    np.testing.assert_array_equal(small, twice)
    assert all(np.abs(other - plain).max() > 0.05 for other in (small, large))
    assert all(0.9 < other.max() <= 1 for other in (small, large))


@pytest.mark.parametrize("control", ["intensity", "difference", "scratch"])
@pytest.mark.parametrize("kind", ["evidence", "linear"])
def test_controls_are_explained_too(marked, quick, finish, tmp_path, control, kind):
    if (control, kind) == ("difference", "linear"):
        kind = "evidence"
    settings = quick.model_copy(update={"encoder": control, "head": kind, "steps": 30, "learning_rate": 0.02})
    made = finish(train([marked.labelled], settings, Run(tmp_path / "head")))
    checked(finish(explain(marked.movie, SETTINGS, Run(tmp_path / "out"), head=made)), 2)


def test_exactly_one_of_head_and_encoder_is_needed(marked, head, encoder, finish, tmp_path):
    for given in ({}, {"head": head, "encoder": encoder}):
        with pytest.raises(ModelError, match="exactly one of them"):
            finish(explain(marked.movie, SETTINGS, Run(tmp_path / "out"), **given))


@pytest.mark.parametrize("name", ["head", "encoder"])
def test_a_folder_that_is_no_model_is_refused_before_anything_is_written(marked, finish, tmp_path, name):
    with pytest.raises(ModelError, match="no model folder"):
        finish(explain(marked.movie, SETTINGS, Run(tmp_path / "out"), **{name: tmp_path}))
    assert not (tmp_path / "out").exists()
