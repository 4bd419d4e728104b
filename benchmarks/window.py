"""How long the window lets a person wait: plugin import, first dock, opening and scrubbing a large movie, opening the steps.

    scripts/with-display.sh python -m benchmarks.window [--out window.json]

Every limit stands beside its figure. The movie has 96 frames of 2048 x 2048 pixels, uint16 (0.8 GB), as a plain TIFF that the system
has just written: it lies in the memory of the system, as a movie does that was opened before. Our modules are compiled to bytecode
first, as they are by an installation. "busy" means that a limit is kept by
what the processor worked, but not by the time that passed: others used the computer.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tifffile

import napari_tap_events

SHAPE = (96, 2048, 2048)
FRAMES_SEEN = 25
IMPORT = """
import time
import napari._qt.qt_main_window, npe2  # what napari itself has loaded before it asks any plugin
def now():
    return time.perf_counter(), time.process_time()
begin = now()
npe2.PluginManifest.from_distribution("napari-tap-events")
manifest = now()
import napari_tap_events.gui.reader
print(*manifest, *begin, *now())
"""


@dataclass(frozen=True)
class Figure:
    """What was measured, and what it must not exceed.

    Attributes
    ----------
    ms, worked_ms : float
        Time that passed, and what of it the processor worked for this: on a busy computer the first is longer.
    """

    what: str
    ms: float
    worked_ms: float
    limit_ms: float | None = None

    @property
    def text(self) -> str:
        """The figure as a line of a table."""
        limit = "" if self.limit_ms is None else f"{self.limit_ms:.0f}"
        kept = (
            ""
            if self.limit_ms is None
            else "yes"
            if self.ms <= self.limit_ms
            else "busy"
            if self.worked_ms <= self.limit_ms
            else "NO"
        )
        return f"| {self.what} | {self.ms:.0f} | {self.worked_ms:.0f} | {limit} | {kept} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=None, help="JSON file to write.")
    given = parser.parse_args()
    compileall.compile_dir(Path(napari_tap_events.__file__).parent, quiet=2)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
        figures = [*imports(), *windows(Path(folder))]
    print("| what | ms | worked, ms | limit | kept |\n|---|---|---|---|---|")
    print("\n".join(figure.text for figure in figures))
    if given.out is not None:
        given.out.write_text(json.dumps([asdict(figure) for figure in figures], indent=1))


def imports() -> list[Figure]:
    """Time what napari does with the plugin when it starts, and when it first opens a file: in a fresh process, the best of three."""
    runs = []
    for _ in range(3):
        told = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
        manifest, begin, end = np.array([float(part) for part in told.stdout.split()]).reshape(3, 2)
        runs.append([manifest - begin, end - manifest])
    read, reader = 1000 * np.min(runs, axis=0)
    return [
        Figure("manifest read, at the start of napari", *read),
        Figure("reader imported, at the first file", *reader),
        Figure("both together", *(read + reader), 50),
    ]


def windows(folder: Path) -> list[Figure]:
    """Time the first dock, and a large movie beside an array in memory."""
    import napari

    path, pixels = folder / "large.tif", large()
    tifffile.imwrite(path, pixels, metadata={"axes": "TYX"}, photometric="minisblack")
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1280, 800)
    settle(1.0)
    docked: list[tuple] = []
    dock = timed(lambda: docked.append(viewer.window.add_plugin_dock_widget("napari-tap-events", "Workbench")))
    settle(3.0)
    opened = timed(lambda: (viewer.open(path, plugin="napari-tap-events"), draw(viewer)))
    settle(3.0)
    ours = scrubbed(viewer)
    workbench = docked[0][1]
    steps = steps_opened(viewer, workbench)
    workbench.session.close()
    viewer.layers.clear()
    viewer.add_image(pixels, contrast_limits=(0, 4000))
    settle(1.0)
    plain = scrubbed(viewer)
    viewer.close()
    return [
        Figure("first dock: the Workbench", *dock, 300),
        Figure("96 x 2048 x 2048 uint16 opened and drawn", *opened, 1000),
        Figure("another frame of it drawn", *ours),
        Figure("another frame of an array in memory drawn", *plain),
        Figure("the movie's frame more than the array's", *(ours - plain), 40),
        *steps,
    ]


def steps_opened(viewer, workbench) -> list[Figure]:
    """Time each further step when it is opened for the first time, with the movie open."""
    figures = []
    for number, (name, step) in enumerate(workbench.steps.steps.items(), start=1):
        if not workbench.steps.made(name):
            figures.append(
                Figure(f"step {number}, {step.title}, opened first", *timed(partial(show_step, viewer, workbench, name)))
            )
            settle(1.0)
    return figures


def show_step(viewer, workbench, name: str) -> None:
    """Open a step, and wait until it is drawn."""
    workbench.steps.open(name)
    workbench.repaint()
    draw(viewer)


def large() -> np.ndarray:
    """Return noise, four frames again and again."""
    noise = np.random.default_rng(0).integers(0, 4000, (4, *SHAPE[1:]), dtype=np.uint16)
    return np.tile(noise, (SHAPE[0] // 4, 1, 1))


def scrubbed(viewer) -> np.ndarray:
    """Return the median time from a step of the slider to the picture, as `timed` does."""
    times = []
    for t in np.random.default_rng(1).permutation(SHAPE[0])[:FRAMES_SEEN]:
        times.append(timed(lambda t=int(t): (viewer.dims.set_current_step(0, t), draw(viewer))))
        settle(0.05)
    return np.median(times, axis=0)


def timed(deed: Callable[[], object]) -> np.ndarray:
    """Return how long something took, and how long this thread worked for it, in ms."""
    began = np.array([time.perf_counter(), time.thread_time()])
    deed()
    return 1000 * (np.array([time.perf_counter(), time.thread_time()]) - began)


def draw(viewer) -> None:
    """Let the canvas be drawn now, and wait until it is."""
    from qtpy.QtWidgets import QApplication

    viewer.window._qt_viewer.canvas.native.repaint()
    QApplication.processEvents()


def settle(seconds: float) -> None:
    """Let the window draw what it still has to draw."""
    from qtpy.QtTest import QTest

    QTest.qWait(int(1000 * seconds))


if __name__ == "__main__":
    main()
