"""The recipe `detect`: what streams by is what kept maps say, and tables and maps say where they lie."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

from napari_tap_events.encoder import feature_maps, features
from napari_tap_events.encoder.compute import Compute
from napari_tap_events.errors import JobStopped, ModelError, ScopeError, SettingsError
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.detection import find_maxima
from napari_tap_events.events.map_tiles import MapTiles
from napari_tap_events.events.model import load_event_model
from napari_tap_events.jobs.arrow import detect_arrow
from napari_tap_events.jobs.detect import detect
from napari_tap_events.jobs.output import Run
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.movies.ome_zarr import open_map
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.settings import DetectSettings, EventSettings

CPU = Compute(torch.device("cpu"))
SETTINGS = DetectSettings(radius_px=6, radius_frames=1, stride_px=4)
COLUMNS = ["id", "t", "y", "x", "kind", "probability", "source", "status"]


@pytest.fixture(scope="module")
def detected(marked, head, finish, tmp_path_factory):
    return finish(detect(marked.movie, head, SETTINGS, Run(tmp_path_factory.mktemp("detected") / "out")))


def test_streaming_says_what_kept_maps_say(detected, marked, head, finish, tmp_path):
    model, movie = load_event_model(head, 1, CPU), open_movie(marked.movie)
    maps = finish(feature_maps.encode_movie(movie, model.source, CPU, tmp_path, model.map_stride_px))
    tiles = MapTiles(maps, model.inputs, CPU)
    stored = open_map(detected / "probability.ome.zarr")
    for t in (0, 9, 22):
        expected = model.calibration.map(DenseHead(model.head).window_logits(tiles, t, 4 // model.map_stride_px))[0]
        np.testing.assert_allclose(np.asarray(stored.array[t], np.float32), expected, atol=1e-3)
    found = find_maxima(model.head, tiles, range(23), SETTINGS.radius_px, SETTINGS.radius_frames)
    table = pd.read_csv(detected / "candidates.csv")
    assert sorted(zip(table["t"], table["y"], table["x"], strict=True)) == sorted((c.t, c.y, c.x) for c in found)


def test_distances_that_are_not_given_are_those_of_the_head(marked, head, finish, tmp_path):
    told = json.loads((head / "card.json").read_text())
    out = finish(detect(marked.movie, head, DetectSettings(radius_frames=3), Run(tmp_path / "out")))
    used = json.loads((out / "result.json").read_text())["settings"]["detect"]
    assert used["radius_px"] == told["details"]["radius_px"] != EventSettings().radius_px
    assert used["radius_frames"] == 3


def test_maps_tell_their_grid(detected):
    probability, arrow = (open_map(detected / f"{name}.ome.zarr") for name in ("probability", "arrow"))
    assert (probability.stride_px, probability.offset_px, probability.array.shape) == (4, 7.5, (23, 11, 13))
    assert (arrow.stride_px, arrow.offset_px, arrow.array.shape) == (2, 0.5, (23, 28, 32))
    values = np.asarray(probability.array)
    assert 0 <= values.min() < values.max() <= 1


def test_each_kind_has_its_map(detected, head):
    calibration = load_event_model(head, 1, CPU).calibration
    any_event, *kinds = (
        np.asarray(open_map(detected / f"{name}.ome.zarr").array, np.float32)
        for name in ("probability", "probability_death", "probability_division")
    )
    assert len(calibration.windows) == 3
    assert not any(np.array_equal(any_event, kind) for kind in kinds)


def test_the_table_holds_what_is_above_the_threshold(detected, head):
    events, candidates = (pd.read_csv(detected / f"{name}.csv") for name in ("events", "candidates"))
    assert list(events.columns[:8]) == list(candidates.columns[:8]) == COLUMNS
    threshold = load_event_model(head, 1, CPU).calibration.threshold
    assert len(events) == int((candidates["probability"] >= threshold).sum())
    assert set(candidates["kind"]) <= {"division", "death"}
    result = json.loads((detected / "result.json").read_text())
    assert result["files"]["events"] == "events.csv"
    assert result["summary"] | {"events": len(events), "candidates": len(candidates)} == result["summary"]


def test_every_frame_is_encoded_once(marked, head, finish, tmp_path, monkeypatch):
    counted, plain = [], features.EncoderFeatures.frame
    monkeypatch.setattr(features.EncoderFeatures, "frame", lambda self, image: counted.append(1) or plain(self, image))
    finish(detect(marked.movie, head, SETTINGS, Run(tmp_path / "out")))
    assert len(counted) == 24


def test_a_range_of_frames_says_the_same_of_them(detected, marked, head, finish, tmp_path):
    part = finish(detect(marked.movie, head, SETTINGS.model_copy(update={"frames": "8:16"}), Run(tmp_path / "out")))
    some, whole = (open_map(folder / "probability.ome.zarr") for folder in (part, detected))
    assert (some.frame_offset, some.array.shape[0]) == (8, 7)
    assert np.array_equal(np.asarray(some.array), np.asarray(whole.array)[8:15])
    assert pd.read_csv(part / "candidates.csv")["t"].between(8, 14).all()


def test_another_stride_gives_the_same_values_at_shared_places(detected, marked, head, finish, tmp_path):
    fine = finish(detect(marked.movie, head, SETTINGS.model_copy(update={"stride_px": 2}), Run(tmp_path / "out")))
    dense, coarse = (np.asarray(open_map(folder / "probability.ome.zarr").array) for folder in (fine, detected))
    np.testing.assert_allclose(dense[:, ::2, ::2].astype(np.float32), coarse.astype(np.float32), atol=1e-3)


def test_a_given_threshold_is_kept_to(marked, head, finish, tmp_path):
    out = finish(detect(marked.movie, head, SETTINGS.model_copy(update={"threshold": 0.0}), Run(tmp_path / "out")))
    assert (out / "events.csv").read_text() == (out / "candidates.csv").read_text()


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"stride_px": 3}, SettingsError, "stride_px = 3 must be a multiple of 2"),
        ({"frames": "5:6"}, SettingsError, "leaves 1 of 24 frames"),
    ],
)
def test_settings_that_will_not_do_are_refused_before_anything_is_written(marked, head, finish, tmp_path, changes, error, told):
    with pytest.raises(error, match=told):
        finish(detect(marked.movie, head, SETTINGS.model_copy(update=changes), Run(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_frames_smaller_than_the_crop_are_refused_before_anything_is_written(make_marked, head, finish, tmp_path):
    import tifffile

    tifffile.imwrite(tmp_path / "small.tif", np.zeros((5, 12, 40), np.uint8), metadata={"axes": "TYX"})
    with pytest.raises(ScopeError, match="crops of 16 px do not fit"):
        finish(detect(tmp_path / "small.tif", head, SETTINGS, Run(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_a_stopped_detection_says_how_to_begin_again(marked, head, finish, tmp_path):
    run = Run(tmp_path / "out")
    run.control.stopping = True
    with pytest.raises(JobStopped, match="stopped after 1 of 23 frame pairs; start again with --overwrite"):
        finish(detect(marked.movie, head, SETTINGS, run))


def test_a_head_for_other_channels_is_refused(head):
    with pytest.raises(ModelError, match=r"reads 1 channel\(s\), the movie has 2"):
        load_event_model(head, movie_from_array(np.zeros((3, 2, 32, 32), np.uint8)).n_channels, CPU)


def test_the_arrow_alone_ranks_candidates(marked, encoder, finish, tmp_path):
    out = finish(detect_arrow(marked.movie, encoder, SETTINGS.model_copy(update={"threshold": 0.0}), Run(tmp_path / "out")))
    stored = open_map(out / "arrow.ome.zarr")
    assert (stored.stride_px, stored.offset_px, stored.array.shape) == (2, 0.5, (23, 28, 32))
    table = pd.read_csv(out / "candidates.csv")
    assert len(table) > 0
    assert list(table.columns[:8]) == COLUMNS
    assert (table["source"] == "arrow").all()
    assert "not of an event" in json.loads((out / "result.json").read_text())["warnings"][0]


@pytest.mark.parametrize("first", [0, 9, 23, 99])
def test_the_frame_that_is_looked_at_comes_first_and_changes_no_result(
    first, detected, marked, head, encoder, finish, tmp_path
):
    recipe = detect(marked.movie, head, SETTINGS, Run(tmp_path / "out"), first)
    report = next(recipe)
    pair = min(first, 22)
    assert (report.done, report.total, report.message) == (0, 23, f"frame {pair} is mapped, now the whole movie")
    written = open_map(tmp_path / "out" / "probability.ome.zarr").array
    assert [t for t in range(23) if np.asarray(written[t]).any()] == [pair]
    finish(recipe)
    for name in ("probability", "probability_division", "arrow"):
        maps = [np.asarray(open_map(out / f"{name}.ome.zarr").array) for out in (detected, tmp_path / "out")]
        np.testing.assert_array_equal(*maps)
    for name in ("candidates.csv", "events.csv"):
        assert (tmp_path / "out" / name).read_text() == (detected / name).read_text()


def test_the_arrow_of_the_frame_that_is_looked_at_comes_first(marked, encoder, finish, tmp_path):
    finish(detect_arrow(marked.movie, encoder, SETTINGS, Run(tmp_path / "plain")))
    recipe = detect_arrow(marked.movie, encoder, SETTINGS, Run(tmp_path / "out"), 5)
    next(recipe)
    written = open_map(tmp_path / "out" / "arrow.ome.zarr").array
    assert [t for t in range(23) if np.asarray(written[t]).any()] == [5]
    finish(recipe)
    np.testing.assert_array_equal(written[:], open_map(tmp_path / "plain" / "arrow.ome.zarr").array[:])
    assert (tmp_path / "out" / "candidates.csv").read_text() == (tmp_path / "plain" / "candidates.csv").read_text()
