"""A review from no label to a taught head, in the workbench, with the real worker."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_tap_events.review.annotator import Annotator
from napari_tap_events.settings import ComputeSettings, HeadSettings, ReviewSettings

from .reviewing import PLACES, make_movie

REVIEW = ReviewSettings(card_px=24, stamp_px=5, retrain_every=6, audit=0, errors=0)
HEAD = HeadSettings(crop_px=16, area_px=10, steps=6, radius_px=6.0, radius_frames=1, tile_px=24, guard_frames=0)
KEYS = {"yes": Qt.Key.Key_F, "no": Qt.Key.Key_J, "unsure": Qt.Key.Key_Space}


@pytest.fixture
def workbench(make_napari_viewer, docked):
    return docked(make_napari_viewer(show=True))


@pytest.fixture
def somebody():
    """Knows the true events: every other flash."""
    import pandas as pd

    truth = pd.DataFrame([(t, y, x, "division") for t, y, x in PLACES[::2]], columns=["t", "y", "x", "kind"])
    return Annotator(truth, HEAD)


def test_a_review_from_no_label_to_a_head_that_maps_the_movie(workbench, somebody, qtbot, tmp_path):
    make_movie(tmp_path / "movie.tif")
    workbench.movie.open(tmp_path / "movie.tif")
    workbench.steps.open("review")
    panel = workbench.review
    panel.start.form.setValue(REVIEW, HEAD, ComputeSettings(device="cpu", threads=1))
    panel.start.encoder.setValue("intensity")
    QTest.mouseClick(panel.start.button, Qt.MouseButton.LeftButton)
    worker = panel.work._link
    assert workbench.steps.made("mark"), "the layers of marks are there before the first answer"
    desk = panel.desk
    workbench.window().activateWindow()
    with qtbot.waitSignal(desk.taught, timeout=45_000) as taught:
        qtbot.waitUntil(lambda: desk.reviewer.card is not None, timeout=60_000)
        qtbot.waitUntil(lambda: not desk._unseen.isActive())
        number = 0
        while panel.work.running and number < 14 and desk.reviewer.card is not None:
            reply = somebody.answer(desk.reviewer.card, number)
            desk.reviewer.nudge(reply.nudge)
            QTest.keyClick(desk.card, KEYS[reply.answer])
            number += 1
        assert len(workbench.session.annotations.verdicts) == number
    assert taught.args[0]["accepted"]
    project = workbench.session.project.path
    assert (project / taught.args[0]["head"] / "card.json").exists()
    assert {v.answer for v in workbench.session.annotations.verdicts} == {"yes", "no"}
    qtbot.waitUntil(lambda: desk.overlay.layer is not None, timeout=30_000)
    assert desk.overlay.layer in list(workbench._viewer.layers)
    assert any("review of movie" in workbench.finding.model.itemText(i) for i in range(workbench.finding.model.count()))
    assert desk.heads.list.count() >= 1
    assert workbench.steps.headers["review"].status.text().startswith(f"{number} answers")
    panel.end()
    assert not worker.alive
