"""A scripted person reviews many cards through the real window, at the pace of real keys: are keys missed, does it lag, does it grow?

    scripts/with-display.sh python -m benchmarks.review_window [--cards 500] [--movie FILE --events FILE] [--encoder DIR] [--out FILE]

A real napari window with the Workbench, a real worker that learns while cards are answered, and keys sent as a keyboard sends them:
press and release, then a pause drawn between 0.25 and 0.9 s; nudges before where the event is a frame off, an undo after every 17th
card. A timer of 10 ms runs in the window's event loop; by how much it comes late is the lag. The time from a key to the next card
painted is taken, too, and the memory of the window at every card; and how long it takes from the answer that lets a head learn until
its map of the frame on screen is painted, first as provisional, then proper. "cpu" is what the window's own thread worked: on a machine
that others use the rest is waiting for a processor. "begin" is the time between the button Start and a second after the first card.
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
TARGET_LAG_MS, TARGET_NEXT_MS = 100, 50
PAUSE_S = (0.25, 0.9)
MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cards", type=int, default=500)
    parser.add_argument("--movie", type=Path, default=None, help="By default a synthetic movie is made.")
    parser.add_argument("--events", type=Path, default=None, help="Its true events.")
    parser.add_argument("--encoder", default="intensity")
    parser.add_argument("--out", type=Path, default=None, help="JSON file to write.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
        row = measure(Path(folder), given)
    print(json.dumps(row, indent=1))
    if given.out is not None:
        given.out.write_text(json.dumps(row, indent=1))


def measure(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Review, and return what was missed, how late the window was, and what it took."""
    import napari
    import psutil
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    from napari_tap_events.events.table import read_events
    from napari_tap_events.gui.workbench import Workbench
    from napari_tap_events.project.session import Session
    from napari_tap_events.review.annotator import Annotator

    movie, events = _material(folder, given)
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1280, 800)
    session = Session(folder / "unsaved")
    workbench = Workbench(viewer, session)
    viewer.window.add_dock_widget(workbench, name="Workbench", area="right")
    workbench.movie.open(movie)
    workbench.steps.open("review")
    clock = Clock()
    clock.start()
    _begin(workbench.review, given.encoder)
    wait_for(lambda: workbench.review.desk.reviewer.card is not None, 300)
    _pause(1.0)
    late_first, busy_first = clock.stop()
    viewer.window._qt_window.activateWindow()
    desk, clock, rng = workbench.review.desk, Clock(), np.random.default_rng(0)
    shown = ShownMaps(workbench.review.work, viewer)
    desk.card.setFocus()
    somebody = Annotator(read_events(events), desk.reviewer.near)
    keys = {"yes": Qt.Key.Key_F, "no": Qt.Key.Key_J, "unsure": Qt.Key.Key_Space}
    pressed, undone, next_ms, own_ms, memory = 0, 0, [], [], []
    process = psutil.Process()
    _pause(1.0)
    clock.start()
    while pressed < given.cards and desk.reviewer.card is not None:
        card = desk.reviewer.card
        answer = _say(desk, card, somebody, pressed)
        before, began, worked = desk.reviewer.card, time.perf_counter(), time.thread_time()
        QTest.keyClick(desk.card, keys[answer])
        desk.card.picture.repaint()
        if desk.reviewer.card is not before:
            next_ms.append((time.perf_counter() - began) * 1000)
            own_ms.append((time.thread_time() - worked) * 1000)
        pressed += 1
        memory.append(process.memory_info().rss / MIB)
        _pause(float(rng.uniform(*PAUSE_S)))
        if pressed % 17 == 0:
            QTest.keyClick(desk.card, Qt.Key.Key_Z)
            undone += 1
            _pause(0.3)
    late, busy = clock.stop()
    worst = clock.worst()
    marks = session.annotations
    answered = len(marks.verdicts) + len(marks.audits)
    row = {
        "cards": pressed, "undone": undone, "kept": answered, "missed_keys": pressed - undone - answered,
        "heads": desk.heads.list.count(), "restarts": workbench.review.work._link.restarts if workbench.review.work._link else 0,
        "next_card_ms": _summary(next_ms), "next_card_cpu_ms": _summary(own_ms),
        "lag_ms": _summary(late), "lag_cpu_ms": _summary(busy),
        "worst_cpu_ms_at_s": worst, "begin_lag_ms": _summary(late_first), "begin_lag_cpu_ms": _summary(busy_first),
        "answer_to_provisional_ms": _summary(shown.provisional), "answer_to_map_ms": _summary(shown.proper),
        "load": round(os.getloadavg()[1], 1),
        "memory_mib": _growth(memory),
        "targets": {"lag_max_ms": TARGET_LAG_MS, "next_card_p95_ms": TARGET_NEXT_MS},
    }  # fmt: skip
    workbench.close()
    session.close()
    viewer.close()
    return row


def _begin(panel: Any, encoder: str) -> None:
    """Press start, with settings for a movie of small cells."""
    from napari_tap_events.gui.model_choice import Model
    from napari_tap_events.settings import ComputeSettings, HeadSettings, ReviewSettings

    role = "control" if encoder == "intensity" else "encoder"
    panel.start.encoder.offer([Model(encoder, encoder, "", role)])
    panel.start.form.setValue(ReviewSettings(card_px=40), HeadSettings(crop_px=24), ComputeSettings(device="cpu"))
    panel.start.button.click()


def _say(desk: Any, card: Any, somebody: Any, number: int) -> str:
    """Do what comes before the answer, and return it."""
    if card.box is not None:
        for event in somebody.look_over(card, number):
            if not any(
                abs(e.t - event.t) <= 2 and abs(e.y - event.y) + abs(e.x - event.x) < 15 for e in desk.reviewer.draft.seen
            ):
                desk.reviewer.point_at(event.t, event.y, event.x)
        return "yes" if desk.reviewer.draft.seen else "no"
    reply = somebody.answer(card, number)
    for _ in range(abs(reply.nudge)):
        desk.reviewer.nudge(1 if reply.nudge > 0 else -1)
    return str(reply.answer)


def _material(folder: Path, given: argparse.Namespace) -> tuple[Path, Path]:
    if given.movie is not None:
        return given.movie, given.events
    from napari_tap_events.movies.synthetic import SyntheticSettings, synthesise, write_synthetic

    write_synthetic(folder / "made", synthesise(SyntheticSettings(frames=100, height=320, width=320, cells=60)))
    return folder / "made" / "movie.tif", folder / "made" / "truth.csv"


class Clock:
    """A timer of the event loop, by how much it came late, and how long the window itself worked from tick to tick."""

    def __init__(self) -> None:
        from qtpy.QtCore import Qt, QTimer

        self._ticks: list[tuple[float, float]] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(lambda: self._ticks.append((time.perf_counter(), time.thread_time())))

    def start(self) -> None:
        """Begin to watch."""
        self._timer.start()

    def stop(self) -> tuple[list[float], list[float]]:
        """Return by how many milliseconds each tick came late, and how many the window's thread had worked since the last."""
        self._timer.stop()
        wall, worked = np.diff(np.array(self._ticks), axis=0).T * 1000
        return np.maximum(0.0, wall - TICK_MS).tolist(), worked.tolist()

    def worst(self) -> list[tuple[float, float]]:
        """Return the five longest pieces of work between two ticks: seconds after the start, milliseconds."""
        at, worked = np.array(self._ticks).T
        return [
            (round(at[i] - at[0], 1), round(1000 * (worked[i + 1] - worked[i]))) for i in np.argsort(np.diff(worked))[:-6:-1]
        ]


class ShownMaps:
    """How long it takes from the order to learn until the window has painted the new head's map of the frame on screen.

    Attributes
    ----------
    provisional, proper : list of float
        Milliseconds; of lessons that another did not end.
    """

    def __init__(self, work: Any, viewer: Any) -> None:
        self.provisional: list[float] = []
        self.proper: list[float] = []
        self._orders: list[float] = []
        self._waits = False
        self._came: tuple[list[float], float] | None = None
        self._taken: float | None = None
        self._learn = work.learn
        work.learn = self._order
        work.sketched.connect(self._sketch)
        work.judged.connect(self._judge)
        work.mapped.connect(self._map)
        viewer.window._qt_viewer.canvas._scene_canvas.events.draw.connect(self._painted)

    def _order(self, *given: Any) -> None:
        self._orders.append(time.perf_counter())
        self._waits = True
        self._learn(*given)

    def _sketch(self, pairs: Any) -> None:
        if pairs and self._orders and self._waits:  # the first of two
            self._came, self._waits = (self.provisional, self._orders[0]), False

    def _judge(self, about: dict[str, Any]) -> None:
        ordered = self._orders.pop(0)
        self._taken = ordered if about["accepted"] else None

    def _map(self, _pair: int) -> None:
        if self._taken is not None:
            self._came, self._taken = (self.proper, self._taken), None

    def _painted(self, _event: Any) -> None:
        if self._came is not None:
            times, ordered = self._came
            times.append((time.perf_counter() - ordered) * 1000)
            self._came = None


def _summary(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    return {"p50": round(p50, 1), "p95": round(p95, 1), "p99": round(p99, 1), "max": round(max(values), 1)}


def _growth(memory: list[float]) -> dict[str, float]:
    """Return the memory at some cards, and by how much it grew per 100 cards in the second half."""
    half = memory[len(memory) // 2 :]
    slope = float(np.polyfit(np.arange(len(half)), half, 1)[0]) if len(half) > 2 else 0.0
    told = {f"card {n}": round(memory[n - 1]) for n in (1, 20, 100, 200, 300, 400, 500) if n <= len(memory)}
    return {**told, "last": round(memory[-1]), "MiB per 100 cards, second half": round(100 * slope, 1)}


def _pause(seconds: float) -> None:
    """Let the event loop run as it does when somebody looks."""
    from qtpy.QtTest import QTest

    QTest.qWait(round(seconds * 1000))


def wait_for(condition: Any, seconds: float) -> None:
    """Let the event loop run until something holds."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"nothing came in {seconds} s")
        _pause(0.05)


if __name__ == "__main__":
    main()
