"""What a person prefers for all projects, from napari's Preferences: where to compute, and where to keep feature maps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.settings import get_plugin_settings

from napari_tap_events.settings import ComputeSettings

PLUGIN = "napari-tap-events"


@dataclass(frozen=True)
class KeptMaps:
    """Where feature maps are kept, and how much they may take.

    Attributes
    ----------
    folder : str
        Empty for the folder `features` of each project.
    gb : float
        Most that they may take on disk, 1e9 bytes.
    """

    folder: str = ""
    gb: float = 20.0


def page(name: str) -> Any:
    """Return a part of the plugin's page in Preferences; None where it has none: it runs from a script."""
    try:
        return getattr(get_plugin_settings(PLUGIN), name, None)
    except KeyError:
        return None


def preferred_compute() -> ComputeSettings:
    """Return where to compute, as the page of the plugin in napari's Preferences says; 0 threads are our own choice."""
    compute = page("compute")
    if compute is None:
        return ComputeSettings()
    return ComputeSettings(device=compute.device, threads=compute.threads or None)


def preferred_cache() -> KeptMaps:
    """Return where to keep feature maps, as the page of the plugin in napari's Preferences says; "~" is the home folder."""
    cache = page("cache")
    if cache is None:
        return KeptMaps()
    written = str(cache.folder).strip()
    return KeptMaps(str(Path(written).expanduser()) if written else "", float(cache.gigabytes))
