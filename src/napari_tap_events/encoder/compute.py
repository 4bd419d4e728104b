"""Where to compute, and how exactly: device, threads, precision, random numbers."""

from __future__ import annotations

import ctypes
import hashlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import psutil
import torch

from napari_tap_events.encoder.room import TILES_PX, movie_bytes, tile_for
from napari_tap_events.errors import SettingsError
from napari_tap_events.settings import ComputeSettings
from napari_tap_events.training.ranks import announced, local_number

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES, FROM_HEAP_BYTES = 2**31 - 1, 2**30
"""As the GNU C library names and counts them: what is kept of what was freed, and up to which size it may be used again."""


@dataclass(frozen=True)
class Compute:
    """A device and a number format.

    Attributes
    ----------
    device : torch.device
    bfloat16 : bool
        Whether networks run under bfloat16 autocast.
    tile_px : int
        Side of the tiles in which frames are encoded.
    """

    device: torch.device
    bfloat16: bool = False
    tile_px: int = TILES_PX[0]

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
    if name == "cpu":
        keep_freed_memory()
    capable = name == "cuda" and torch.cuda.is_bf16_supported()
    wanted = settings.precision == "bfloat16" or (settings.precision == "auto" and capable)
    own = torch.device(name, local_number()) if name == "cuda" and announced().of > 1 else torch.device(name)
    return Compute(own, wanted, tile_for(settings.memory_limit))


def room_for_movies(settings: ComputeSettings, compute: Compute) -> int:
    """Return how many bytes movies may take on the device that learns: a quarter of the limit, else half of what is free now."""
    if settings.memory_limit is not None:
        return movie_bytes(settings.memory_limit)
    free = torch.cuda.mem_get_info(compute.device)[0] if compute.device.type == "cuda" else psutil.virtual_memory().available
    return int(free) // 2


def keep_freed_memory() -> bool:
    """Let this process keep memory that it frees, where the C library can be told so; return whether it could.

    By default glibc gives every large block back at once and asks for a new one, whose pages the system fills with zeros: a fifth of the
    time of an encoder on a CPU. What is kept falls to pieces, which add up while heads are taught: `give_back_freed_memory` after each.
    """
    mallopt = _of_c_library("mallopt")
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, FROM_HEAP_BYTES)) and bool(mallopt(M_TRIM_THRESHOLD, KEPT_BYTES))


def give_back_freed_memory() -> bool:
    """Give memory that was freed, and kept, back to the system, in about 10 ms; return whether that could be done."""
    trim = _of_c_library("malloc_trim")
    return trim is not None and bool(trim(0))


def _of_c_library(name: str) -> Callable[..., int] | None:
    """Return a function that the GNU C library has and others do not."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):  # another C library
        return None
    return found
