"""Where to compute, and how exactly: device, threads, precision, random numbers."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from napari_tap_events.errors import SettingsError
from napari_tap_events.settings import ComputeSettings


@dataclass(frozen=True)
class Compute:
    """A device and a number format.

    Attributes
    ----------
    device : torch.device
    bfloat16 : bool
        Whether networks run under bfloat16 autocast.
    """

    device: torch.device
    bfloat16: bool = False

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which networks run forward."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if self.bfloat16 else nullcontext()

    def generator(self, *seeds: int) -> torch.Generator:
        """Return a generator of random numbers on the device, the same for the same seeds."""
        digest = hashlib.blake2b(repr(seeds).encode(), digest_size=7).digest()
        return torch.Generator(self.device).manual_seed(int.from_bytes(digest, "big"))

    @property
    def name(self) -> str:
        """The device in words."""
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type.upper()


def compute_for(settings: ComputeSettings) -> Compute:
    """Choose the device.

    Raises
    ------
    SettingsError
        When the device asked for is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    name = settings.device
    if name == "auto":
        name = "cuda" if there["cuda"] else "mps" if there["mps"] else "cpu"
    if not there[name]:
        usable = ", ".join(device for device, found in there.items() if found)
        raise SettingsError(f"device = '{name}' is not available here; usable: {usable}. 'napari-tap-events doctor' says more.")
    if settings.threads:
        torch.set_num_threads(settings.threads)
    capable = name == "cuda" and torch.cuda.is_bf16_supported()
    wanted = settings.precision == "bfloat16" or (settings.precision == "auto" and capable)
    return Compute(torch.device(name), wanted)
