"""Which software computes here, by name and version; nothing is imported for it."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("napari-tap-events", "napari", "torch", "numpy", "scikit-image", "tifffile", "zarr")
"""What a result, or a report of a fault, must name."""


def installed(name: str) -> str | None:
    """Return the version of a package, None where it is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """Return the versions of what computes here; "missing" for a package that is not there."""
    found = {name: installed(name) or "missing" for name in PACKAGES}
    return {**found, "python": platform.python_version(), "platform": platform.platform()}
