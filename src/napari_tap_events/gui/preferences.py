"""What a person prefers for all projects, from napari's Preferences: where to compute."""

from __future__ import annotations

from napari.settings import get_plugin_settings

from napari_tap_events.settings import ComputeSettings

PLUGIN = "napari-tap-events"


def preferred_compute() -> ComputeSettings:
    """Return where to compute, as the page of the plugin in napari's Preferences says; 0 threads are our own choice."""
    try:
        compute = get_plugin_settings(PLUGIN).compute  # type: ignore[union-attr]
    except (KeyError, AttributeError):  # the plugin is not registered: it runs from a script
        return ComputeSettings()
    return ComputeSettings(device=compute.device, threads=compute.threads or None)
