"""How long a command will take and how much memory, said before it is started; torch is not needed to say it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import psutil

from napari_tap_events.encoder.shipped import encoder_folder
from napari_tap_events.jobs.output import read_json
from napari_tap_events.jobs.speeds import LEAST_S, Speeds
from napari_tap_events.jobs.workload import IMAGE, NETWORKS, STARTING_S, TORCH_BYTES, Network, Workload
from napari_tap_events.settings import ComputeSettings, HeadSettings

GIB = 2**30
CARD = "card.json"
ADOPTED_BYTES = 4000
"""Of each pixel that an adopted network sees at once: a guess, as for a transformer of patches of 8 px and a good deal larger."""


@dataclass(frozen=True)
class Estimate:
    """What a command will take.

    Attributes
    ----------
    seconds : float or None
        None where the speed of this computer is not known yet.
    nbytes : int
        Memory at its peak, that of the GPU where it runs on one.
    ratio : float or None
        By how much longer than counted the last jobs of this kind took here; None where there was none.
    """

    seconds: float | None
    nbytes: int
    ratio: float | None

    @property
    def rough(self) -> bool:
        """Whether it comes from counting alone, since no job of this kind has run here."""
        return self.ratio is None

    @property
    def text(self) -> str:
        """The estimate in a few words: "about 12 min, 1.3 GiB"."""
        memory = f"{self.nbytes / GIB:.1f} GiB of memory"
        if self.seconds is None:
            return f"about {memory}; the time is being measured"
        return f"{'roughly' if self.rough else 'about'} {duration(self.seconds)}, {memory}"

    @property
    def why(self) -> str:
        """Where the numbers come from, in a sentence."""
        if self.ratio is None:
            return "Counted from the settings and a short measurement of this computer; after the first job it is more exact."
        return f"Counted from the settings; the last such jobs here took {self.ratio:.2f} times what was counted."


def estimate(command: str, work: Workload, device: str, threads: int, speeds: Speeds) -> Estimate:
    """Say what a command will take.

    Parameters
    ----------
    command : str
    work : Workload
    device : str
        "cpu", "cuda" or "mps"; not "auto".
    threads : int
        Of the CPU; see `threads_of`.
    speeds : Speeds
    """
    pace, ratio = speeds.pace(device, threads), speeds.ratio(command, device)
    nbytes = work.nbytes - (TORCH_BYTES if device == "cuda" else 0)
    seconds = None if pace is None else STARTING_S + work.pixels / pace * (ratio or 1.0)
    return Estimate(seconds, nbytes, ratio)


def learned(speeds: Speeds, command: str, work: Workload, device: str, threads: int, seconds: float) -> Speeds:
    """Return the speeds with a job that has come to its end after some seconds of work; a short one says nothing."""
    pace = speeds.pace(device, threads)
    if pace is None or seconds < LEAST_S or work.pixels <= 0:
        return speeds
    return speeds.with_job(command, device, seconds / (work.pixels / pace))


def threads_of(compute: ComputeSettings, spare: int = 0) -> int:
    """Return how many threads a job will have, where so many cores are left to others."""
    return compute.threads or max(1, (psutil.cpu_count(logical=False) or 1) - spare)


def network_of(model: str, settings: HeadSettings | None = None) -> Network:
    """Return what is known of the encoder of a model; of an adopted one the card tells what a pixel costs.

    Parameters
    ----------
    model : str
        Folder of an encoder or of a head, or the name of a control.
    settings : HeadSettings, optional
        With the network of the controls.
    """
    folder = encoder_folder(model)
    card = read_json(folder / CARD) or {}
    details = dict(card.get("details") or {})
    scale = None if details.get("simulated") and not details.get("arrow") else 1.0
    if card.get("kind") == "head":
        scale = float(details.get("scale", 1))
        card = read_json(folder / "encoder" / CARD) or card
    features, cost = card.get("features"), dict(card.get("details") or {}).get("cost")
    known = NETWORKS.get(str(dict(card.get("settings") or {}).get("preset")))
    if isinstance(features, int) and isinstance(cost, int | float):
        return Network(features, cost, cost, 0, ADOPTED_BYTES)
    if isinstance(features, int):
        nearest = known or min([IMAGE, *NETWORKS.values()], key=lambda network: abs(network.features - features))
        return replace(nearest, scale=scale)
    return IMAGE if model in ("intensity", "difference") else NETWORKS[settings.preset if settings else "unet16"]


def duration(seconds: float) -> str:
    """Write a time as a person says it: "20 s", "12 min", "2.5 h"."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
