"""Reviews a project's movie in a real window, with a real worker, and says how many answers it gave, until it is killed.

    python reviewing_window.py PROJECT SEED

Prints the number of its worker's process, then the number of answers after each key.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path

os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.yaml")

import napari
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_tap_events.gui.workbench import Workbench
from napari_tap_events.project.session import Session
from napari_tap_events.settings import ComputeSettings, HeadSettings, ReviewSettings

REVIEW = ReviewSettings(card_px=24, stamp_px=5, retrain_every=5, audit=6, audit_px=40, audit_frames=3, audit_from=4)
HEAD = HeadSettings(crop_px=16, area_px=10, steps=6, radius_px=6.0, radius_frames=1, tile_px=24, guard_frames=0)


def main() -> None:
    """Review until the end."""
    project, rng = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
    viewer, session = napari.Viewer(show=True), Session(project.parent / "unsaved")
    session.open_project(project)
    workbench = Workbench(viewer, session)
    viewer.window.add_dock_widget(workbench, name="Workbench")
    workbench.steps.open("review")
    panel = workbench.review
    panel.start.form.setValue(REVIEW, HEAD, ComputeSettings(device="cpu", threads=1))
    panel.start.encoder.setValue("intensity")
    QTest.mouseClick(panel.start.button, Qt.MouseButton.LeftButton)
    say(panel.work._link.pid)
    until = time.monotonic() + 120
    while panel.desk.reviewer.card is None and time.monotonic() < until:
        QTest.qWait(20)
    viewer.window._qt_window.activateWindow()
    panel.desk.card.setFocus()
    QTest.qWait(50)
    while True:
        marks, reviewer = session.annotations, panel.desk.reviewer
        say(len(marks.verdicts) + len(marks.audits), len(reviewer.draft.seen), reviewer.card is not None)
        if reviewer.card is not None:
            no = Qt.Key.Key_F if reviewer.draft.seen else Qt.Key.Key_J
            QTest.keyClick(panel.desk.card, no if reviewer.card.box else rng.choice((Qt.Key.Key_F, Qt.Key.Key_J)))
        QTest.qWait(rng.randrange(1, 60))


def say(*words: object) -> None:
    """Write a line at once."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


if __name__ == "__main__":
    main()
