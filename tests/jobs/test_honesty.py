"""What a folder must say of itself: how its movie was opened, and when its numbers flatter."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_tap_events.events.table import read_events
from napari_tap_events.jobs.detect import TAUGHT, detect
from napari_tap_events.jobs.labelled import Labelled, truth_of
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.train import train
from napari_tap_events.movies.masks import open_masks
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.movies.synthetic import SyntheticSettings, synthesise, write_synthetic
from napari_tap_events.settings import ComputeSettings, DetectSettings, HeadSettings, MovieSettings

QUICK = HeadSettings(encoder="intensity", folds=0, crop_px=24, steps=4, batch=2, tile_px=32, criterion="any-either", area_px=0)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    settings = SyntheticSettings(frames=24, height=64, width=64, cells=10, cycle_frames=12, debris=0, seed=3)
    write_synthetic(folder, synthesise(settings))
    return folder


def run(folder, **movie) -> Run:
    return Run(folder, compute=ComputeSettings(device="cpu", threads=1), movie=MovieSettings(**movie))


def done(work) -> None:
    for _ in work:
        pass


def test_detecting_on_the_movie_that_taught_says_that_it_flatters(made, tmp_path):
    done(train([Labelled(made / "movie.tif", made / "masks.tif")], QUICK, run(tmp_path / "head")))
    done(detect(made / "movie.tif", tmp_path / "head", DetectSettings(), run(tmp_path / "same")))
    assert json.loads((tmp_path / "same/result.json").read_text())["warnings"] == [TAUGHT]
    other = tifffile.imread(made / "movie.tif").copy()
    other[0, 0, 0] ^= 1
    tifffile.imwrite(tmp_path / "other.tif", other, metadata={"axes": "TYX"})
    done(detect(tmp_path / "other.tif", tmp_path / "head", DetectSettings(), run(tmp_path / "other")))
    assert json.loads((tmp_path / "other/result.json").read_text())["warnings"] == []


def test_a_folder_tells_how_its_movie_was_opened(made, tmp_path, monkeypatch):
    frames = tifffile.imread(made / "movie.tif")
    tifffile.imwrite(tmp_path / "two.tif", np.stack([frames, 255 - frames], axis=1), metadata={"axes": "TCYX"})
    monkeypatch.chdir(tmp_path)
    labelled = [Labelled(tmp_path.relative_to(tmp_path) / "two.tif", made / "masks.tif")]
    done(train(labelled, QUICK, run(tmp_path / "head", channel=1)))
    card = json.loads((tmp_path / "head/result.json").read_text())
    assert card["settings"]["movie"]["channel"] == 1
    monkeypatch.chdir("/")
    told = open_movie(card["inputs"]["movie"]["path"], MovieSettings(**card["settings"]["movie"]))
    assert np.array_equal(told.frame(5)[0], 255 - frames[5])


def test_a_table_of_uncertain_events_alone_leaves_the_truth_to_the_mask(made, tmp_path):
    masks = open_masks(made / "masks.tif", open_movie(made / "movie.tif"))
    rows = {"event_id": [1], "kind": ["uncertain"], "role": ["dying"], "t": [5], "y": [9], "x": [9], "radius": [5]}
    pd.DataFrame(rows).to_csv(tmp_path / "uncertain.csv", index=False)
    plain = truth_of(Labelled(made / "movie.tif", made / "masks.tif"), masks)
    both = truth_of(Labelled(made / "movie.tif", made / "masks.tif", tmp_path / "uncertain.csv"), masks)
    assert len(plain) > 3
    assert len(both) == len(plain) + 1
    assert (both["kind"] == "uncertain").sum() == 1
    table = truth_of(Labelled(made / "movie.tif", made / "masks.tif", made / "truth.csv"), masks)
    assert len(table) == len(read_events(made / "truth.csv"))
