"""The whole story with mouse and keys alone: open a movie, mark, pretrain, train, see the map, export the table."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QComboBox, QFileDialog

from napari_tap_events.events.table import read_events
from napari_tap_events.movies.mask_events import linked_events
from napari_tap_events.movies.synthetic import SyntheticSettings, synthesise, write_synthetic

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
LONG_MS = 120_000


class Hands:
    """They click on what can be seen, and type into it."""

    def __init__(self, viewer, workbench):
        self.viewer, self.workbench = viewer, workbench

    def press(self, button):
        assert button.isVisible(), button.text()
        assert button.isEnabled(), button.text()
        QTest.mouseClick(button, LEFT)
        QApplication.processEvents()

    def open_step(self, name):
        self.press(self.workbench.steps.headers[name])

    def type_into(self, field, text):
        assert field.isVisible()
        if isinstance(field, QComboBox):
            self.step_to(field, text)
            return
        QTest.mouseClick(field, LEFT)
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def step_to(self, field, text):
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_Home)
        for _ in range(field.findText(text)):
            QTest.keyClick(field, Qt.Key.Key_Down)

    def choose(self, recipe, **settings):
        """Unfold the settings of a recipe and type values into its fields."""
        self.press(recipe.settings.button)
        for name, text in settings.items():
            self.type_into(recipe.form.plain.fields[name], text)
            assert str(recipe.form.plain.fields[name].value()).removesuffix(".0") == text
        self.press(recipe.settings.button)

    def run(self, qtbot, recipe, finished):
        """Press the button that starts a recipe, and wait until it has finished; where it failed, say why."""
        ends = []
        finished.connect(lambda _folder: ends.append(""))
        recipe.failed.connect(ends.append)
        self.press(recipe.start_button)
        assert recipe.running(), recipe.refusal.text()
        qtbot.waitUntil(lambda: bool(ends), timeout=LONG_MS)
        assert ends == [""]

    def click_on_movie(self, t, y, x):
        self.viewer.dims.set_current_step(0, t)
        QApplication.processEvents()
        canvas = self.viewer.window._qt_viewer.canvas.native
        camera, side = self.viewer.scene.camera, self.workbench.session.movie.pixel_size_um or 1.0
        dy, dx = (np.array([y, x]) * side - np.array(camera.center[-2:])) * camera.zoom
        place = QPoint(round(canvas.width() / 2 + dx), round(canvas.height() / 2 + dy))
        QTest.mouseMove(canvas, place)
        QTest.mouseClick(canvas, LEFT, NO_KEY, place)
        QApplication.processEvents()

    def key(self, key, keys=NO_KEY):
        QTest.keyClick(self.viewer.window._qt_viewer.canvas.native, key, keys)
        QApplication.processEvents()


@pytest.fixture
def hands(make_napari_viewer, docked):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1280, 800)
    workbench = docked(viewer)
    viewer.window.activate()
    return Hands(viewer, workbench)


@pytest.fixture
def film(tmp_path):
    """Write a movie of dividing and dying cells; return its path and its events, which are known."""
    made = synthesise(SyntheticSettings(frames=24, height=96, width=96, cells=10, cycle_frames=20, seed=3))
    write_synthetic(tmp_path / "made", made)
    return tmp_path / "made" / "movie.tif", linked_events(made.labels, ("division", "death"))


def test_from_a_file_to_an_exported_table_with_mouse_and_keys_alone(hands, film, tmp_path, monkeypatch, qtbot):
    (path, events), workbench = film, hands.workbench
    # the system's own file dialogs are the one thing that no test can click
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "mine.csv"), ""))

    hands.press(workbench.movie.open_button)
    assert workbench.session.movie.shape == (24, 1, 96, 96)

    hands.open_step("mark")
    hands.type_into(workbench.mark.desk.radius.number, "4")
    for event in events:
        hands.key(Qt.Key.Key_1 if event.kind == "division" else Qt.Key.Key_2)
        hands.click_on_movie(event.t, event.y, event.x)
    marks = workbench.session.annotations
    marked = len(marks.events)
    assert 8 <= marked <= len(events)
    assert {region.event.kind for region in marks.events} == {"division", "death"}
    hands.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(marks.events) == marked - 1
    hands.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert len(marks.events) == marked
    hands.press(workbench.mark.desk.scope_button)
    hands.press(workbench.mark.desk.scope.whole_button)
    assert marks.scope is not None

    hands.open_step("pretrain")
    recipe = workbench.pretrain.recipe
    hands.choose(recipe, preset="unet8", patch_px="32", steps="20", batch="8")
    hands.run(qtbot, recipe, workbench.pretrain.pretrained)
    assert recipe.watch.job.pace.done == 20

    hands.open_step("train")
    recipe = workbench.train.recipe
    hands.choose(recipe, crop_px="24", radius_px="6", folds="2", steps="20")
    hands.run(qtbot, recipe, workbench.train.trained)
    assert f"of {marked} events" in workbench.train.score.words.text()

    hands.open_step("find")
    finding = workbench.finding
    hands.run(qtbot, finding.recipe, finding.found)
    assert hands.viewer.layers["probability"].visible
    QTest.mouseClick(finding.threshold.slider, LEFT)
    QTest.keyClick(finding.threshold.slider, Qt.Key.Key_Home)
    candidates = hands.viewer.layers["events"]
    assert finding.threshold.value() == 0
    assert candidates.shown.all()
    assert len(candidates.data) > 0

    hands.open_step("results")
    results = workbench.results
    hands.press(results.list.next_button)
    assert candidates.selected_data == {results.list.value()}
    hands.press(results.exports.buttons["csv"])
    assert len(read_events(tmp_path / "mine.csv")) == len(candidates.data)
    assert results.exports.notice.label.text().endswith("written to mine.csv")
