"""How fast jobs went on this computer: what it measured of itself, and how much longer than counted the last jobs took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import platformdirs

from napari_tap_events.writing import all_or_nothing

FILE = "speeds.json"
KEPT = 5
"""Jobs of a kind and device that count."""
LEAST_S = 10.0
"""A job that was over sooner says little."""


@dataclass(frozen=True)
class Speeds:
    """What is remembered.

    Attributes
    ----------
    pixels_per_s : mapping of device to mapping of threads to float
        As the computer measured itself: pixels per second through the encoder `unet16`.
    ratios : mapping of "command device" to list of float
        By how much longer each of the last jobs took than was counted, the newest last.
    """

    pixels_per_s: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    ratios: Mapping[str, list[float]] = field(default_factory=dict)

    def pace(self, device: str, threads: int) -> float | None:
        """Return pixels per second with so many threads; None where that was never measured."""
        known = sorted((int(count), speed) for count, speed in self.pixels_per_s.get(device, {}).items())
        if not known:
            return None
        least, most = known[0], known[-1]
        if most[0] <= least[0] or threads >= most[0]:
            return most[1]
        return least[1] + (most[1] - least[1]) * max(0, threads - least[0]) / (most[0] - least[0])

    def ratio(self, command: str, device: str) -> float | None:
        """Return by how much longer jobs of a kind took than was counted; None where there was none."""
        found = self.ratios.get(f"{command} {device}")
        return median(found) if found else None

    def with_pace(self, device: str, measured: Mapping[str, float]) -> Speeds:
        """Return the same with a measurement of a device; ratios to the one before mean nothing any more."""
        kept = {name: values for name, values in self.ratios.items() if name.split()[-1] != device}
        return Speeds({**self.pixels_per_s, device: dict(measured)}, kept)

    def with_job(self, command: str, device: str, ratio: float) -> Speeds:
        """Return the same with one more job."""
        name = f"{command} {device}"
        return Speeds(self.pixels_per_s, {**self.ratios, name: [*self.ratios.get(name, []), ratio][-KEPT:]})


def speeds_file() -> Path:
    """Return where speeds are remembered, for all projects of a user."""
    return Path(platformdirs.user_cache_dir("napari-tap-events")) / FILE


def load_speeds(path: Path) -> Speeds:
    """Read what is remembered; a file that is not there or damaged says nothing."""
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        pace = {
            str(device): {str(int(n)): float(v) for n, v in values.items() if float(v) > 0}
            for device, values in kept["pixels_per_s"].items()
        }
        ratios = {str(name): [float(value) for value in values] for name, values in kept["ratios"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Speeds()
    return Speeds(pace, ratios)


def save_speeds(path: Path, speeds: Speeds) -> None:
    """Remember; where nothing can be written, it is measured again the next time."""
    text = json.dumps({"schema": 1, "pixels_per_s": dict(speeds.pixels_per_s), "ratios": dict(speeds.ratios)}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with all_or_nothing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError:
        return
