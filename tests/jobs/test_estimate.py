"""What a command will take, said before: it grows with what there is to do, and learns from jobs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from math import prod

import pytest

from napari_tap_events.jobs.estimate import duration, estimate, learned, network_of
from napari_tap_events.jobs.speeds import Speeds, load_speeds, save_speeds
from napari_tap_events.jobs.workload import IMAGE, NETWORKS, MovieSize, Workload, workload
from napari_tap_events.settings import ComputeSettings, DetectSettings, ExplainSettings, HeadSettings, PretrainSettings

HELA = MovieSize((96, 1, 190, 211), 1)
MIB = 2**20
MEASURED_MIB = {
    "pretrain unet8": (684, "pretrain", IMAGE, PretrainSettings(preset="unet8")),
    "pretrain unet16": (936, "pretrain", IMAGE, PretrainSettings()),
    "pretrain unet16, batch 64": (1496, "pretrain", IMAGE, PretrainSettings(batch=64)),
    "pretrain unet32": (1506, "pretrain", IMAGE, PretrainSettings(preset="unet32")),
    "train unet16": (521, "train", NETWORKS["unet16"], HeadSettings(crop_px=24, folds=0)),
    "train unet32, folds": (621, "train", NETWORKS["unet32"], HeadSettings(crop_px=24, folds=3)),
    "train, image only": (577, "train", IMAGE, HeadSettings(encoder="intensity", folds=0)),
    "train, resnet head": (779, "train", NETWORKS["unet16"], HeadSettings(encoder="random", head="resnet", folds=0)),
    "train, folds, nested": (637, "train", NETWORKS["unet16"], HeadSettings(folds=4)),
    "detect unet16": (395, "detect", NETWORKS["unet16"], DetectSettings()),
    "pretrain, simulated": (887, "pretrain", IMAGE, PretrainSettings(pretext="simulated")),
    "explain unet16": (451, "explain", NETWORKS["unet16"], ExplainSettings()),
}
"""Greatest memory of real jobs on the movie `hela_h2b`, CPU, one thread."""


@pytest.mark.parametrize("name", MEASURED_MIB)
def test_memory_is_counted_within_a_quarter_of_what_was_measured(name):
    measured, command, network, settings = MEASURED_MIB[name]
    counted = workload(command, HELA, network, (settings,)).nbytes / MIB
    assert counted / measured == pytest.approx(1, abs=0.25)


MEASURED_S = {
    "train, folds, nested": (172, "train", NETWORKS["unet16"], HeadSettings(folds=4)),
    "train, features beside a guide": (29, "train", NETWORKS["unet16"], HeadSettings(features=True, folds=0)),
    "train, image only": (18, "train", IMAGE, HeadSettings(encoder="intensity", folds=0)),
    "train, resnet head": (112, "train", NETWORKS["unet16"], HeadSettings(encoder="random", head="resnet", folds=0)),
    "pretrain": (45, "pretrain", IMAGE, PretrainSettings(steps=60)),
    "pretrain, simulated": (75, "pretrain", IMAGE, PretrainSettings(steps=60, pretext="simulated")),
    "detect": (9, "detect", NETWORKS["unet16"], DetectSettings()),
}
"""Processor seconds of real jobs on that movie, one thread, on a computer that encodes 1.33 million pixels a second."""


@pytest.mark.parametrize("name", MEASURED_S)
def test_time_is_counted_within_a_quarter_of_what_was_measured(name):
    measured, command, network, settings = MEASURED_S[name]
    work = workload(command, HELA, network, (settings,))
    told = estimate(command, work, "cpu", 1, Speeds({"cpu": {"1": 1.33e6}}))
    assert told.seconds / measured == pytest.approx(1, abs=0.25)


GREATER = {
    "pretrain": (PretrainSettings(), (PretrainSettings(steps=9000), PretrainSettings(preset="unet32"))),
    "train": (
        HeadSettings(folds=0),
        (HeadSettings(folds=3), HeadSettings(head="resnet", folds=0), HeadSettings(encoder="scratch", folds=0)),
    ),
    "detect": (DetectSettings(frames="0:10"), (DetectSettings(), DetectSettings(frames="0:11"))),
}


@pytest.mark.parametrize("command", GREATER)
def test_more_to_do_is_more_work(command):
    less, many = GREATER[command]
    for more in many:
        assert (
            workload(command, HELA, NETWORKS["unet16"], (more,)).pixels
            > workload(command, HELA, NETWORKS["unet16"], (less,)).pixels
        )


@pytest.mark.parametrize(
    ("settings", "reads"),
    [
        ({}, True),
        ({"intensity": False}, False),
        ({"encoder": "random"}, False),
        ({"encoder": "random", "intensity": True}, True),
        ({"encoder": "intensity"}, True),
        ({"head": "resnet"}, False),
    ],
)
def test_a_head_that_reads_the_image_is_more_work(settings, reads):
    less = HeadSettings(**{**settings, "encoder": "random", "intensity": False})
    more = (
        workload("train", HELA, NETWORKS["unet16"], (HeadSettings(**settings),)).pixels
        - workload("train", HELA, NETWORKS["unet16"], (less,)).pixels
    )
    assert (more > 0) == reads


def test_a_limit_of_memory_makes_less_be_held_at_a_time():
    large = MovieSize((2000, 1, 1024, 1024), 2)
    for command, settings in (("pretrain", PretrainSettings()), ("detect", DetectSettings())):
        free = workload(command, large, NETWORKS["unet32"], (settings,)).nbytes
        tight = workload(command, large, NETWORKS["unet32"], (settings, ComputeSettings(memory_limit=0.5))).nbytes
        assert tight < free


def test_batches_that_are_added_up_are_as_much_work_as_steps():
    one, four = (workload("pretrain", HELA, NETWORKS["unet16"], (PretrainSettings(steps=100, accumulate=n),)) for n in (1, 4))
    assert four.pixels == pytest.approx(4 * one.pixels, rel=0.1)
    assert four.nbytes == one.nbytes


@pytest.mark.parametrize(("encoder", "reads"), [("shipped", False), ("random", True)])
def test_beside_a_guide_a_head_reads_no_features(encoder, reads):
    free, told = ({"encoder": encoder, "intensity": True, **more} for more in ({}, {"features": True}))
    less, more = (workload("train", HELA, NETWORKS["unet16"], (HeadSettings(**changes),)).pixels for changes in (free, told))
    assert (less == more) == reads


def test_folds_count_their_nested_heads():
    whole = [
        workload("train", HELA, NETWORKS["unet16"], (HeadSettings(folds=4, nested=nested),)).pixels for nested in (True, False)
    ]
    one = workload("train", HELA, NETWORKS["unet16"], (HeadSettings(folds=4, nested=False, steps=400),)).pixels - whole[1]
    assert whole[0] - whole[1] == pytest.approx(one * 6 / 5, rel=0.15), "beside the heads, more frames are judged"


def test_an_estimate_is_rough_until_a_job_has_come_to_its_end():
    work, speeds = Workload(60e6, 1 << 30), Speeds({"cpu": {"1": 1e6, "4": 3e6}})
    before = estimate("detect", work, "cpu", 1, speeds)
    assert (before.rough, before.text) == (True, "roughly 65 s, 1.0 GiB of memory")
    for seconds in (120, 90, 600):
        speeds = learned(speeds, "detect", work, "cpu", 1, seconds)
    after = estimate("detect", work, "cpu", 1, speeds)
    assert (after.rough, after.ratio, after.seconds) == (False, 2.0, 123)
    assert "2.00 times" in after.why
    assert estimate("train", work, "cpu", 1, speeds).rough
    assert estimate("detect", work, "cuda", 1, speeds).seconds is None


def test_a_short_job_teaches_nothing():
    speeds = Speeds({"cpu": {"1": 1e6}})
    assert learned(speeds, "detect", Workload(60e6, 0), "cpu", 1, 3.0) is speeds
    assert learned(Speeds(), "detect", Workload(60e6, 0), "cpu", 1, 99.0) == Speeds()


def test_threads_between_those_measured_lie_between():
    speeds = Speeds({"cpu": {"1": 1e6, "4": 2.5e6}})
    assert [speeds.pace("cpu", n) for n in (1, 2, 4, 8)] == [1e6, 1.5e6, 2.5e6, 2.5e6]
    assert speeds.pace("cuda", 1) is None


def test_speeds_are_remembered_and_a_damaged_file_says_nothing(tmp_path):
    speeds = Speeds({"cpu": {"1": 1e6}}, {"train cpu": [1.5]})
    save_speeds(tmp_path / "cache" / "speeds.json", speeds)
    assert load_speeds(tmp_path / "cache" / "speeds.json") == speeds
    for text in ("", "[]", '{"pixels_per_s": {"cpu": 3}, "ratios": {}}'):
        (tmp_path / "speeds.json").write_text(text)
        assert load_speeds(tmp_path / "speeds.json") == Speeds()


def test_a_new_measurement_forgets_the_ratios_to_the_old_one():
    speeds = Speeds({"cpu": {"1": 1e6}}, {"train cpu": [1.5], "train cuda": [2.0]}).with_pace("cpu", {"1": 2e6})
    assert (speeds.pace("cpu", 1), speeds.ratio("train", "cpu"), speeds.ratio("train", "cuda")) == (2e6, None, 2.0)


def test_the_features_of_a_model_are_read_from_its_card(tmp_path):
    (tmp_path / "card.json").write_text(json.dumps({"features": 32}))
    assert network_of(str(tmp_path)) == NETWORKS["unet32"]
    (tmp_path / "card.json").write_text(json.dumps({"features": 32, "settings": {"preset": "vit_small"}}))
    assert network_of(str(tmp_path)) == NETWORKS["vit_small"]
    assert [network_of(name) for name in ("intensity", "difference", "random")] == [IMAGE, IMAGE, NETWORKS["unet16"]]
    assert network_of("random", HeadSettings(preset="unet8")) is NETWORKS["unet8"]


def test_a_head_costs_what_the_encoder_inside_it_costs(tmp_path):
    (tmp_path / "encoder").mkdir()
    (tmp_path / "card.json").write_text(json.dumps({"kind": "head", "features": 32}))
    (tmp_path / "encoder" / "card.json").write_text(json.dumps({"features": 32, "settings": {"preset": "vit_small"}}))
    assert network_of(str(tmp_path)) == NETWORKS["vit_small"]


def test_an_adopted_encoder_costs_what_its_card_says(tmp_path):
    (tmp_path / "card.json").write_text(json.dumps({"features": 24, "details": {"cost": 40.0}}))
    found = network_of(str(tmp_path))
    assert (found.features, found.cost) == (24, 40.0)
    assert workload("detect", HELA, found, (DetectSettings(),)).pixels > 39 * prod(HELA.shape)


@pytest.mark.parametrize(("seconds", "text"), [(1, "5 s"), (61, "60 s"), (720, "12 min"), (9000, "2.5 h")])
def test_times_are_said_as_a_person_says_them(seconds, text):
    assert duration(seconds) == text


def test_an_estimate_needs_no_torch():
    program = "import sys, napari_tap_events.jobs.estimate; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"


def test_few_marked_events_are_told_by_folds_and_many_at_once():
    few, many = (workload("train", replace(HELA, events=events), NETWORKS["unet16"], (HeadSettings(),)) for events in (12, 60))
    asked = [
        workload("train", HELA, NETWORKS["unet16"], (HeadSettings(folds=folds, steps=steps),))
        for folds, steps in ((4, 200), (0, 300))
    ]
    assert [few, many] == asked


def test_heads_that_are_taught_at_once_take_memory_each():
    def bytes_with(threads: int, **changes) -> int:
        return workload("train", HELA, NETWORKS["unet16"], (HeadSettings(folds=4, **changes),), threads).nbytes

    assert bytes_with(1) < bytes_with(2) < bytes_with(4) == bytes_with(16)
    assert bytes_with(1, encoder="scratch") == bytes_with(4, encoder="scratch"), "an encoder that learns is alone"


def test_an_encoder_of_simulated_movies_takes_more_where_it_sees_a_movie_at_another_scale(tmp_path):
    (tmp_path / "card.json").write_text(json.dumps({"features": 16, "details": {"simulated": True, "arrow": False}}))
    network = network_of(str(tmp_path))
    small, usual, large = (workload("detect", HELA, network, (DetectSettings(radius_px=r),)) for r in (7, 14, 56))
    assert small.pixels > 3 * usual.pixels
    assert usual.pixels < large.pixels < 1.2 * usual.pixels, "smaller, and as it is"
    assert usual.nbytes < large.nbytes < small.nbytes
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "card.json").write_text(json.dumps({"kind": "head", "features": 16, "details": {"scale": 2.0}}))
    assert network_of(str(tmp_path / "head")).scale == 2
