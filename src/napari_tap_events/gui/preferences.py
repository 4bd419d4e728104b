"""What a person prefers for all projects, from napari's Preferences: where to compute."""

from __future__ import annotations

from typing import Any

from napari.settings import get_plugin_settings

from napari_tap_events.settings import ComputeSettings

PLUGIN = "napari-tap-events"


def preferred_compute() -> ComputeSettings:
    """Return where to compute, as the page of the plugin in napari's Preferences says; 0 threads are our own choice."""
    try:
        compute: Any = getattr(get_plugin_settings(PLUGIN), "compute", None)
    except KeyError:  # the plugin is not registered: it runs from a script
        compute = None
    if compute is None:
        return ComputeSettings()
    return ComputeSettings(device=compute.device, threads=compute.threads or None)
