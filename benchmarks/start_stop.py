"""What ten starts and stops of a pretraining leave behind, and how long a stop takes.

    scripts/with-display.sh python -m benchmarks.start_stop [--cycles 10]

The Pretrain panel in a real napari window is started by its button and, once the network has learned for some steps, stopped by the
other one. "told" is the time until the window says so and the button is grey; "gone" the time until the process is no more. Left
behind counts after the last cycle against after the first, which has loaded what every later one needs.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

TOLD_MS, GONE_MS, GROWTH_MIB = 100, 1000, 20
STEPS = 3
LONGEST_S = 120.0


@dataclass(frozen=True)
class Left:
    """What there is of a session.

    Attributes
    ----------
    mib : float
        Memory of the window's process, MiB.
    processes, files, temporary : int
        Children of the window, files it has open, entries of the folder for temporary files.
    """

    mib: float
    processes: int
    files: int
    temporary: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
        os.environ["TMPDIR"] = tempfile.tempdir = str(Path(folder) / "tmp")  # ours alone: others use the computer's
        Path(tempfile.gettempdir()).mkdir()
        cycles(Path(folder), given.cycles)


def cycles(folder: Path, number: int) -> None:
    """Start and stop, and print what it took and what is left."""
    import napari

    from napari_tap_events.gui.recipe_panel import RecipeInputs, RecipePanel
    from napari_tap_events.jobs.synth import synth
    from napari_tap_events.settings import ComputeSettings, PretrainSettings, SyntheticSettings

    synth(folder / "movie", SyntheticSettings(), overwrite=True)
    movie, count = folder / "movie" / "movie.tif", iter(range(10**6))
    viewer = napari.Viewer(show=True)
    viewer.open(movie, plugin="napari-tap-events")
    panel = RecipePanel(
        "Pretrain",
        "Starts and stops.",
        "pretrain",
        (PretrainSettings, ComputeSettings),
        lambda: RecipeInputs([str(movie)], folder / "encoders" / f"encoder-{next(count)}"),
    )
    viewer.window.add_dock_widget(panel, name="Pretrain", area="right")
    settle(2.0)
    told, gone, left = [], [], []
    for cycle in range(number + 1):
        panel.start_button.click()
        until(lambda: panel.watch.job.pace.done >= STEPS, LONGEST_S)
        waits = stop(panel)
        settle(1.0)
        left.append(what_is_left())
        if cycle:
            told.append(waits[0])
            gone.append(waits[1])
        print(f"cycle {cycle}: told {waits[0]:.0f} ms, gone {waits[1]:.0f} ms, {left[-1]}", flush=True)
    report(told, gone, left)
    viewer.close()


def stop(panel) -> tuple[float, float]:
    """Press Stop, and return the ms until the window says so, and until the process is gone."""
    process = psutil.Process(panel.watch.job.record.process.pid)
    asked = time.perf_counter()
    panel.stop_button.click()
    panel.repaint()
    told = time.perf_counter() - asked
    if panel.stop_button.isEnabled() or panel.watch.job.state != "stopping":
        raise RuntimeError("the window does not say that the job is stopping")
    until(lambda: not alive(process), 10.0)
    gone = time.perf_counter() - asked
    until(lambda: not panel.running(), 10.0)
    return 1000 * told, 1000 * gone


def alive(process: psutil.Process) -> bool:
    """Say whether a process still works; one that waits to be reaped does not."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def until(there: Callable[[], bool], seconds: float) -> None:
    """Let the window work until something is there."""
    from qtpy.QtTest import QTest

    end = time.perf_counter() + seconds
    while not there():
        if time.perf_counter() > end:
            raise TimeoutError(f"waited {seconds:.0f} s")
        QTest.qWait(5)


def settle(seconds: float) -> None:
    """Let the window draw what it still has to draw."""
    from qtpy.QtTest import QTest

    QTest.qWait(int(1000 * seconds))


def what_is_left() -> Left:
    """Count what there is now."""
    gc.collect()
    me = psutil.Process()
    temporary = sum(1 for _ in Path(tempfile.gettempdir()).rglob("*"))
    return Left(me.memory_info().rss / 2**20, len(me.children(recursive=True)), len(me.open_files()), temporary)


def report(told: list[float], gone: list[float], left: list[Left]) -> None:
    """Print the figures beside their limits."""
    first, last = left[0], left[-1]
    print(f"stop told by the window: median {np.median(told):.0f} ms, longest {max(told):.0f} ms; limit {TOLD_MS}")
    print(f"process gone: median {np.median(gone):.0f} ms, longest {max(gone):.0f} ms; limit {GONE_MS}")
    print(
        f"memory of the window: {first.mib:.0f} MiB after the first cycle, {last.mib:.0f} after the last; limit +{GROWTH_MIB}"
    )
    print(f"processes {first.processes} -> {last.processes}, open files {first.files} -> {last.files}, ", end="")
    print(f"temporary files {first.temporary} -> {last.temporary}; limit: no more")


if __name__ == "__main__":
    main()
