"""How long the window stands still while a pretraining runs on the same cores.

    scripts/with-display.sh python -m benchmarks.window_lag [--seconds 60] [--out lag.json]

A real napari window shows a synthetic movie and the panel that follows a real pretraining on it; a timer of 10 ms runs in its event
loop. By how much the timer comes late is the lag that a person feels. The same is measured before, with nothing running.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

TICK_MS = 10
TARGET_P95_MS, TARGET_MAX_MS = 50, 200
DOCK_PX = 340


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="Time to measure for, once the first step is done.")
    parser.add_argument("--out", type=Path, default=None, help="JSON file to write.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
        rows = measure(Path(folder), given.seconds)
    print(table(rows))
    if given.out is not None:
        given.out.write_text(json.dumps(rows, indent=1))


def measure(folder: Path, seconds: float) -> list[dict[str, Any]]:
    """Return the lag with nothing running, while a job starts, and while it learns."""
    import napari

    from napari_tap_events.gui.recipe_panel import RecipeInputs, RecipePanel
    from napari_tap_events.jobs.synth import synth
    from napari_tap_events.settings import ComputeSettings, PretrainSettings, SyntheticSettings

    synth(folder / "movie", SyntheticSettings(), overwrite=True)
    movie = folder / "movie" / "movie.tif"
    inputs = RecipeInputs([str(movie)], folder / "encoders" / "encoder")
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1280, 800)
    viewer.open(movie, plugin="napari-tap-events")
    panel = RecipePanel("Pretrain", "Measures lag.", "pretrain", (PretrainSettings, ComputeSettings), lambda: inputs)
    panel.setMinimumWidth(DOCK_PX)
    viewer.window.add_dock_widget(panel, name="Pretrain", area="right")
    settle(2.0)
    rows = [lag("nothing runs", lambda: False, min(seconds, 15.0))]
    panel.start_button.click()
    rows.append(lag("the job starts", lambda: panel.watch.job.pace.done > 0, 120.0))
    rows.append(lag("it learns", lambda: not panel.running(), seconds))
    rows[-1]["steps"] = panel.watch.job.pace.done
    asked = time.perf_counter()
    panel.stop_button.click()
    until(lambda: not panel.running(), 10.0)
    rows.append({"while": "stop to gone", "seconds": time.perf_counter() - asked})
    viewer.close()
    return rows


def lag(during: str, over: Any, seconds: float) -> dict[str, Any]:
    """Let the event loop run, and return by how much a timer came late: ms, p50, p95 and the worst."""
    from qtpy.QtCore import QEventLoop, Qt, QTimer

    ticks: list[float] = []
    loop, timer, until = QEventLoop(), QTimer(), time.perf_counter() + seconds
    timer.setTimerType(Qt.TimerType.PreciseTimer)

    def tick() -> None:
        ticks.append(time.perf_counter())
        if ticks[-1] > until or over():
            loop.quit()

    timer.timeout.connect(tick)
    timer.start(TICK_MS)
    loop.exec()
    timer.stop()
    late = np.maximum(0.0, np.diff(ticks) * 1000 - TICK_MS)
    p50, p95 = np.percentile(late, [50, 95])
    return {
        "while": during, "seconds": ticks[-1] - ticks[0], "ticks": len(ticks),
        "p50_ms": float(p50), "p95_ms": float(p95), "max_ms": float(late.max()),
        "worst": [[round(float(ticks[i + 1] - ticks[0]), 1), round(float(late[i]))] for i in np.argsort(late)[:-6:-1]],
    }  # fmt: skip


def until(condition: Any, seconds: float) -> None:
    """Let the event loop run until something holds."""
    lag("", condition, seconds)


def settle(seconds: float) -> None:
    """Let the window draw itself."""
    until(lambda: False, seconds)


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows for people."""
    lines = [f"targets: p95 <= {TARGET_P95_MS} ms, max <= {TARGET_MAX_MS} ms"]
    for row in rows:
        if "p95_ms" in row:
            lines.append(
                f"{row['while']:<16} {row['seconds']:5.1f} s  p50 {row['p50_ms']:6.1f}  p95 {row['p95_ms']:6.1f}  "
                f"max {row['max_ms']:6.1f} ms   worst (s, ms): {row['worst']}"
            )
        else:
            lines.append(f"{row['while']:<16} {row['seconds']:5.2f} s")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
