"""How fast this computer is, measured on itself in about a second: pixels per second through the encoder `unet16`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import torch

from napari_tap_events.encoder.compute import compute_for
from napari_tap_events.encoder.room import GB
from napari_tap_events.encoder.unet import Encoder, folded
from napari_tap_events.errors import SettingsError
from napari_tap_events.jobs.estimate import Estimate, estimate, network_of, threads_of
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.speeds import load_speeds, save_speeds, speeds_file
from napari_tap_events.jobs.workload import MovieSize, Workload, workload
from napari_tap_events.movies.movie import Movie, single_channel
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.settings import EncoderSettings, HeadSettings, Settings

SIDE_PX = 256
LEAST_S = 0.4
"""Time of a measurement: passes are added until it is over."""


def pixels_per_s(device: str) -> dict[str, float]:
    """Measure a device.

    Parameters
    ----------
    device : str
        "cpu", "cuda" or "mps".

    Returns
    -------
    dict of str to float
        Pixels per second, by the number of threads: one and as many as there are cores; "0" for a GPU.
    """
    if device != "cpu":
        return {"0": _measured(device)}
    before = torch.get_num_threads()
    found: dict[str, float] = {}
    try:
        for threads in sorted({1, psutil.cpu_count(logical=False) or 1}):
            torch.set_num_threads(threads)
            found[str(threads)] = max([_measured(device), *found.values()])
    finally:
        torch.set_num_threads(before)
    return found


@torch.no_grad()
def _measured(device: str) -> float:
    layout = torch.channels_last
    with torch.random.fork_rng(devices=[]):
        network = folded(Encoder(1, EncoderSettings(preset="unet16"))).to(device).to(memory_format=layout)  # type: ignore[call-overload]
    frame = torch.zeros(1, 1, SIDE_PX, SIDE_PX, device=device)
    float(network(frame).sum())  # the first pass prepares the others
    alone = device == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter  # one thread's own time is told apart from that of others
    quickest, until = float("inf"), clock() + LEAST_S
    while clock() < until:
        began = clock()
        float(network(frame).sum())  # a number can be read only when the device is done
        quickest = min(quickest, clock() - began)
    return SIDE_PX**2 / quickest  # what others do on this computer meanwhile should not count


def _size(movies: Sequence[Movie]) -> MovieSize:
    """Return the size of all movies taken as one; without any, that of none."""
    if not movies:
        return MovieSize((0, 1, 0, 0), 1)
    largest = max(movies, key=lambda movie: movie.height * movie.width)
    frames = sum(movie.n_frames for movie in movies)
    return MovieSize((frames, largest.n_channels, largest.height, largest.width), largest.dtype.itemsize)


def estimate_for(command: str, movies: Sequence[Path], model: str, run: Run, settings: Settings) -> Estimate:
    """Say what a command will take on these movies, on this computer; its speed is measured where it is not known.

    Parameters
    ----------
    command : str
        "pretrain", "train", "detect" or "explain".
    movies : sequence of Path
    model : str
        Folder of the encoder or head, or the name of a control; of no account for "pretrain".
    run : Run
        Its settings of opening and computing.
    settings : Settings
        Of the command.
    """
    compute = compute_for(run.compute)
    work = _counted(command, movies, model, run, settings)
    device, speeds, file = compute.device.type, load_speeds(speeds_file()), speeds_file()
    if device not in speeds.pixels_per_s:
        speeds = speeds.with_pace(device, pixels_per_s(device))
        save_speeds(file, speeds)
    return estimate(command, work, device, threads_of(run.compute), speeds)


def check_memory(command: str, movies: Sequence[Path], model: str, run: Run, settings: Settings) -> None:
    """Refuse a command that will take more memory than the user's limit allows; parameters are those of `estimate_for`.

    Raises
    ------
    SettingsError
        Naming both.
    """
    limit = run.compute.memory_limit
    if limit is None or compute_for(run.compute).device.type != "cpu":
        return
    needed = _counted(command, movies, model, run, settings).nbytes / GB
    if needed > limit:
        raise SettingsError(
            f"memory_limit = {limit:g} GB is too little: about {needed:.1f} GB are needed; choose a higher one, "
            "a smaller --preset or a smaller --batch."
        )


def _counted(command: str, movies: Sequence[Path], model: str, run: Run, settings: Settings) -> Workload:
    size = _size([single_channel(open_movie(path, run.movie)) for path in movies])
    network = network_of(model, settings if isinstance(settings, HeadSettings) else None)
    threads = threads_of(run.compute) if compute_for(run.compute).device.type == "cpu" else 1
    return workload(command, size, network, (settings, run.compute), threads)
