"""Preferences of the plugin reach new jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

import napari_tap_events
from napari_tap_events.gui.preferences import PLUGIN, preferred_compute
from napari_tap_events.gui.workbench import Workbench
from napari_tap_events.project.session import Session
from napari_tap_events.settings import ComputeSettings


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
