"""The score of a head: what its plots say, and what they do not claim."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QPointF, Qt

from napari_tap_events.gui.head_score import HeadScore, _reliability, few_figures, in_words

BINS = {
    "mean_probability": [0.05, 0.5, 0.9, None],
    "observed": [0.02, 0.4, 1.0, None],
    "counts": [53_034, 20, 19, 0],
    "ece": 0.03,
}


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (19, "19"), (950, "950"), (1234, "1.2k"), (9960, "10k"), (53034, "53k"), (2.1e6, "2.1M")]
)
def test_numbers_fit_beside_a_dot(count, text):
    assert few_figures(count) == text


def test_bins_with_few_windows_stand_apart_and_all_counts_are_written(qtbot):
    pyqtgraph = pytest.importorskip("pyqtgraph")
    drawn = _reliability({"reliability_before": BINS, "reliability_after": BINS}, dark=True)
    qtbot.addWidget(drawn)
    curves = [item for item in drawn.getPlotItem().listDataItems() if item.name() is None or "after" in item.name()]
    lines = {item.name(): list(item.getData()[0]) for item in curves if item.opts["pen"] is not None}
    assert lines["after, error 0.030"] == [0.05, 0.5]
    thin = [list(item.getData()[0]) for item in curves if item.opts["pen"] is None]
    assert thin == [[0.9], [0.9]]
    written = [item.toPlainText() for item in drawn.getPlotItem().items if isinstance(item, pyqtgraph.TextItem)]
    assert written == ["53k", "20", "19"]


def test_the_legend_stands_above_the_axes(qtbot):
    pytest.importorskip("pyqtgraph")
    drawn = _reliability({"reliability_before": BINS, "reliability_after": BINS}, dark=False)
    qtbot.addWidget(drawn)
    drawn.resize(330, 200)
    drawn.show()
    legend = drawn.getPlotItem().legend
    qtbot.waitUntil(
        lambda: legend.sceneBoundingRect().bottom() <= drawn.getPlotItem().vb.sceneBoundingRect().top() + 1, timeout=5000
    )
    assert legend.sceneBoundingRect().width() <= 330


def test_the_leakage_is_said_also_where_there_is_none():
    score = {"n_true": 5, "tp": 4, "fp": 1, "f1": 0.8, "average_precision": 0.7}
    evaluation = {"score": score, "threshold": 0.4}
    assert "Leakage 0%" in in_words(evaluation | {"leakage": 0.0})
    assert "⚠ Leakage 30%" in in_words(evaluation | {"leakage": 0.3})
    assert "⚠ Leakage 1%" in in_words(evaluation | {"leakage": 0.0004}), "a little is not none"


def test_each_kind_is_told_where_there_are_several():
    kinds = [{"kind": "death", "n_true": 5, "tp": 1, "fp": 3}, {"kind": "division", "n_true": 7, "tp": 7, "fp": 0}]
    score = {"n_true": 12, "tp": 8, "fp": 3, "f1": 0.7, "average_precision": 0.7, "kinds": kinds}
    assert "Under the right kind: death 1 of 5, division 7 of 7." in in_words({"score": score, "threshold": 0.4})
    merged = score | {"kinds": [kind | {"fp": None} for kind in kinds]}
    assert "<br>Death 1 of 5, division 7 of 7." in in_words({"score": merged, "threshold": 0.4})
    assert "7 of 7" not in in_words({"score": score | {"kinds": kinds[1:]}, "threshold": 0.4})


@pytest.mark.parametrize(("at", "frame"), [(4.1, 4), (5.4, 5)])
def test_a_click_on_the_errors_over_time_tells_the_frame(qtbot, at, frame):
    pytest.importorskip("pyqtgraph")
    score = HeadScore()
    qtbot.addWidget(score)
    drawn = score._in_time({"by_time": {"t": [3, 4, 5, 6], "false_positive": [0, 9, 0, 0], "false_negative": [1, 0, 0, 2]}})
    qtbot.addWidget(drawn)
    drawn.resize(330, 250)
    with qtbot.waitExposed(drawn):
        drawn.show()
    drawn.grab()  # axes take their places
    place = drawn.mapFromScene(drawn.getPlotItem().vb.mapViewToScene(QPointF(at, 5)))
    with qtbot.waitSignal(score.frame_chosen) as told:
        qtbot.mouseClick(drawn.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert told.args == [frame]
