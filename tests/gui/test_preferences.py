"""Preferences of the plugin reach new jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

import napari_tap_events
from napari_tap_events.gui.own_keys import OwnKeys
from napari_tap_events.gui.preferences import PLUGIN, KeptMaps, preferred_cache, preferred_compute
from napari_tap_events.gui.review_start import ReviewStart
from napari_tap_events.gui.shortcuts import default_keys
from napari_tap_events.gui.workbench import Workbench
from napari_tap_events.project.marking import stamp
from napari_tap_events.project.session import Session
from napari_tap_events.settings import ComputeSettings, ReviewSettings

from .marking import cell_movie


@pytest.fixture
def preferences(plugin_settings, npe2pm):
    from napari.settings import get_plugin_settings

    npe2pm.register(str(Path(napari_tap_events.__file__).parent / "napari.yaml"))
    return get_plugin_settings(PLUGIN)


def test_by_default_the_job_chooses(preferences):
    assert preferred_compute() == ComputeSettings()


def test_what_is_preferred_is_what_a_new_workbench_shows(preferences, make_napari_viewer_proxy, tmp_path):
    preferences.compute.device = "cpu"
    preferences.compute.threads = 3
    assert preferred_compute() == ComputeSettings(device="cpu", threads=3)
    viewer, session = make_napari_viewer_proxy(), Session(tmp_path)
    workbench = Workbench(viewer, session)
    viewer.window.add_dock_widget(workbench, name="Workbench")
    for recipe in (workbench.pretrain.recipe, workbench.train.recipe, workbench.finding.recipe):
        (compute,) = (settings for settings in recipe.value() if isinstance(settings, ComputeSettings))
        assert (compute.device, compute.threads) == ("cpu", 3)
    workbench.close()


def test_without_a_registered_plugin_the_defaults_hold(plugin_settings, npe2pm):
    assert preferred_compute() == ComputeSettings()


def test_every_key_is_a_preference_and_begins_as_it_comes(preferences):
    page = preferences.keys
    assert {name: getattr(page, name) for name in default_keys()} == default_keys()
    assert set(type(page).model_fields) == set(default_keys())


def test_a_key_changed_in_preferences_holds_at_once(preferences, tmp_path):
    keys, told = OwnKeys(tmp_path / "keys.json"), []
    keys.valueChanged.connect(told.append)
    preferences.keys.stamp = "T"
    assert keys.value() == told[-1] == default_keys() | {"stamp": "T"}
    for wrong in ("Ctrl+Z", "1", "no such key"):
        preferences.keys.stamp = wrong
    assert keys.value()["stamp"] == "T"
    assert len(told) == 1
    assert OwnKeys(tmp_path / "keys.json").value() == default_keys(), "what cannot hold is not taken up later either"


def test_a_key_changed_in_the_list_of_keys_is_kept_in_preferences(preferences, tmp_path):
    keys, told = OwnKeys(tmp_path / "keys.json"), []
    keys.valueChanged.connect(told.append)
    keys.setValue(default_keys() | {"stamp": "T", "brush": "S"})
    assert (preferences.keys.stamp, preferences.keys.brush) == ("T", "S")
    assert OwnKeys(tmp_path / "keys.json").value()["brush"] == "S"
    assert not told
    assert not (tmp_path / "keys.json").exists()


def test_feature_maps_are_kept_where_somebody_prefers(preferences, make_napari_viewer_proxy, tmp_path):
    assert preferred_cache() == KeptMaps()
    preferences.cache.folder = f"  {tmp_path / 'kept maps'} "
    preferences.cache.gigabytes = 3.5
    assert preferred_cache() == KeptMaps(str(tmp_path / "kept maps"), 3.5)
    session = Session(tmp_path / "unsaved")
    session.open_movie(cell_movie(tmp_path / "cells.tif"))
    session.annotations.do(stamp(session.annotations, session.annotations.kinds[0], 2, 30, 40, 6))
    viewer = make_napari_viewer_proxy()
    workbench = Workbench(viewer, session)
    viewer.window.add_dock_widget(workbench, name="Workbench")
    arguments = workbench.train._inputs().arguments
    assert arguments[arguments.index("--cache") + 1] == str(tmp_path / "kept maps")
    assert arguments[arguments.index("--cache-gb") + 1] == "3.5"
    begin = ReviewStart(session)
    begin.setParent(workbench)
    review = next(settings for settings in begin.form.value() if isinstance(settings, ReviewSettings))
    assert (review.cache, review.cache_gb) == (str(tmp_path / "kept maps"), 3.5)
    workbench.close()
    session.close()


def test_the_home_folder_may_be_written_short(preferences):
    preferences.cache.folder = "~/maps"
    assert preferred_cache().folder == str(Path.home() / "maps")
