"""The Movie step: a movie is opened by button, drop or napari; the form shows what is known and takes what is not."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_tap_events.gui.layers import ROLE
from napari_tap_events.gui.movie_facts import CHOOSE
from napari_tap_events.gui.movie_panel import ALL_WELL, LOOKING, START, MoviePanel, movie_flags
from napari_tap_events.gui.readiness import missing
from napari_tap_events.project.marking import stamp
from napari_tap_events.project.session import Session
from napari_tap_events.settings import MovieSettings


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def session(tmp_path):
    opened = Session(tmp_path / "unsaved")
    yield opened
    opened.close()


@pytest.fixture
def panel(viewer, session, qtbot):
    made = MoviePanel(viewer, session)
    viewer.window.add_dock_widget(made, name="Movie")
    yield made
    made.close()


@pytest.fixture
def path(tmp_path):
    frames = np.random.default_rng(0).integers(100, 200, (6, 32, 40), np.uint8)
    target = tmp_path / "cells.tif"
    tifffile.imwrite(target, frames, imagej=True, metadata={"axes": "TYX"})
    return target


def movie_names(viewer):
    return [layer.name for layer in viewer.layers if layer.metadata.get(ROLE) == "movie"]


def test_without_a_movie_it_says_what_to_do(panel):
    assert panel.sentence.text() == START
    assert panel.facts.isHidden()


def test_the_button_opens_a_movie_for_all_steps(panel, viewer, session, path, qtbot, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    qtbot.mouseClick(panel.open_button, Qt.MouseButton.LeftButton)
    assert session.movie.shape == (6, 1, 32, 40)
    assert movie_names(viewer) == ["cells"]
    assert "6 frames of 32 x 40 px" in panel.facts.size_label.text()
    assert viewer.dims.current_step[0] == 0


def test_a_movie_dropped_onto_napari_is_adopted_once(panel, viewer, session, path, qtbot):
    viewer.open(str(path), plugin="napari-tap-events")
    qtbot.waitUntil(lambda: session.movie is not None)
    assert movie_names(viewer) == ["cells"]


@pytest.mark.parametrize("plugin", ["napari-tap-events", "napari"])
def test_a_movie_that_napari_showed_before_the_panel_was_made_is_met(make_napari_viewer_proxy, session, path, qtbot, plugin):
    viewer = make_napari_viewer_proxy(show=True)
    viewer.open(str(path), plugin=plugin)
    viewer.add_labels(np.zeros((6, 32, 40), np.uint8))
    panel = MoviePanel(viewer, session)
    viewer.window.add_dock_widget(panel, name="Movie")
    if plugin == "napari":
        qtbot.waitUntil(lambda: panel.layer_button.text() == "Work on 'cells'")
        qtbot.mouseClick(panel.layer_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.movie is not None)
    assert session.movie.source == str(path)
    assert panel.layer_button.isHidden()
    qtbot.waitUntil(lambda: [layer.metadata.get(ROLE) for layer in viewer.layers] == ["movie", None])  # the labels stay
    assert movie_names(viewer) == ["cells"]
    panel.close()


def test_the_layer_that_napari_has_just_read_is_kept(panel, viewer, session, path, qtbot):
    (layer,) = viewer.open(path, plugin="napari-tap-events")
    qtbot.waitUntil(lambda: session.movie is not None)
    assert list(viewer.layers) == [layer]
    panel.open(path, MovieSettings(interval_s=60.0))
    assert layer not in viewer.layers
    assert viewer.layers[0].scale[0] == 60.0


def test_a_layer_that_shows_another_channel_than_is_chosen_is_not_kept(panel, viewer, session, tmp_path, qtbot):
    target = tmp_path / "two.tif"
    frames = np.random.default_rng(0).integers(0, 200, (6, 2, 32, 40), np.uint8)
    tifffile.imwrite(target, frames, imagej=True, metadata={"axes": "TCYX"})
    both = viewer.open(target, plugin="napari-tap-events")
    qtbot.waitUntil(lambda: session.movie is not None)
    assert list(viewer.layers) == both
    panel.open(target, MovieSettings(channel=1))
    (layer,) = viewer.layers
    np.testing.assert_array_equal(layer.data[2], frames[2, 1])


def test_a_second_movie_is_offered_not_taken(panel, viewer, session, path, tmp_path, qtbot):
    panel.open(path)
    other = tmp_path / "other.tif"
    tifffile.imwrite(other, np.zeros((5, 16, 16), np.uint8), imagej=True, metadata={"axes": "TYX"})
    viewer.open(str(other), plugin="napari-tap-events")
    qtbot.waitUntil(lambda: not panel.layer_button.isHidden())
    assert session.movie.name == "cells.tif"
    qtbot.mouseClick(panel.layer_button, Qt.MouseButton.LeftButton)
    assert session.movie.name == "other.tif"


def test_what_a_person_says_of_the_scale_reaches_the_movie_and_its_layer(panel, viewer, session, path):
    panel.open(path)
    panel.facts.pixel_size.setValue(0.65)
    panel.facts.interval.setValue(300)
    assert (session.movie.pixel_size_um, session.movie.interval_s) == (0.65, 300)
    assert viewer.layers["cells"].scale.tolist() == [300, 0.65, 0.65]
    assert session.entry.opening == MovieSettings(pixel_size_um=0.65, interval_s=300)


def test_unknown_axes_are_asked_for_with_the_likeliest_filled_in(panel, session, tmp_path, qtbot):
    plain = tmp_path / "plain.tif"
    tifffile.imwrite(plain, np.random.default_rng(0).integers(0, 9, (6, 32, 40), np.uint8), photometric="minisblack")
    panel.open(plain)
    assert session.movie is None
    assert "axes" in panel.sentence.text()
    assert panel.facts.axes.text() == "TYX"
    qtbot.mouseClick(panel.try_button, Qt.MouseButton.LeftButton)
    assert session.movie.shape == (6, 1, 32, 40)
    assert panel.try_button.isHidden()


def test_a_stack_with_depth_is_opened_as_its_maximum_or_a_plane(panel, session, tmp_path, qtbot):
    frames = np.arange(4 * 3 * 24 * 24, dtype=np.uint16).reshape(4, 3, 24, 24)
    tifffile.imwrite(tmp_path / "deep.tif", frames, imagej=True, metadata={"axes": "TZYX"})
    panel.open(tmp_path / "deep.tif")
    assert session.movie is None
    qtbot.mouseClick(panel.try_button, Qt.MouseButton.LeftButton)
    assert int(session.movie.frame(0)[0, 0, 0]) == frames[0, 2, 0, 0]
    panel.facts.plane.setCurrentIndex(1)
    panel.facts.plane.activated.emit(1)
    assert int(session.movie.frame(0)[0, 0, 0]) == 0


def test_a_file_that_is_no_movie_is_refused_in_one_sentence(panel, session, tmp_path):
    (tmp_path / "notes.tif").write_text("no pixels here")
    panel.open(tmp_path / "notes.tif")
    assert session.movie is None
    assert "notes.tif" in panel.sentence.text()
    assert panel.facts.isHidden()


def test_a_file_that_is_no_movie_leaves_the_open_movie_as_it_is(panel, session, path, tmp_path):
    panel.open(path)
    (tmp_path / "notes.tif").write_text("no pixels here")
    panel.open(tmp_path / "notes.tif")
    assert session.movie.source == str(path)
    assert "notes.tif" in panel.sentence.text()
    assert not panel.facts.isHidden()
    panel.facts.pixel_size.setValue(0.5)
    panel.facts.pixel_size.editingFinished.emit()
    assert (session.movie.source, session.entry.opening.pixel_size_um) == (str(path), 0.5)


def test_one_channel_of_several_can_be_chosen(panel, session, tmp_path):
    frames = np.zeros((4, 2, 24, 24), np.uint8)
    frames[:, 1] = 7
    tifffile.imwrite(tmp_path / "two.tif", frames, imagej=True, metadata={"axes": "TCYX"})
    panel.open(tmp_path / "two.tif")
    channel = panel.facts.channel
    assert [channel.itemText(row) for row in range(channel.count())] == [CHOOSE, "channel 0", "channel 1"]
    assert "has 2 channels: choose below" in panel.sentence.text()
    assert missing(session) == "Choose in step 1 the channel in which events show: channel 0 or channel 1."
    channel.activated.emit(0)
    assert (session.entry.opening.channel, panel.facts.shown().channel) == (None, None)
    channel.setCurrentIndex(2)
    assert panel.facts.shown().channel == 1
    channel.activated.emit(2)
    assert session.entry.opening.channel == 1
    assert int(session.movie.frame(0)[0, 0, 0]) == 7
    assert [channel.itemText(row) for row in range(channel.count())] == ["channel 0", "channel 1"]
    assert (channel.currentText(), panel.sentence.isHidden(), missing(session)) == ("channel 1", True, "")
    channel.activated.emit(0)
    assert session.entry.opening.channel == 0


def test_the_precheck_speaks_when_it_has_looked(panel, path, qtbot):
    panel.open(path)
    assert panel.findings.text() == LOOKING
    qtbot.waitUntil(lambda: panel.findings.text() != LOOKING, timeout=60_000)
    assert panel.findings.text() == ALL_WELL or panel.findings.text()[0] in "⚠ℹ"


def test_a_late_change_of_the_cell_size_tells_what_does_not_follow(panel, session, path):
    panel.open(path)
    panel.facts.cell.setValue(12)
    assert (session.entry.cell_px, panel.about_cell.isHidden()) == (12, True)
    session.annotations.do(stamp(session.annotations, session.annotations.kinds[0], 1, 10, 10, 4))
    session.project.new_folder("heads", "head").joinpath("result.json").write_text("{}")
    panel.facts.cell.setValue(20)
    assert panel.about_cell.text().startswith("ℹ Marks and heads made before keep their sizes")
    panel.open(path)
    assert panel.about_cell.isHidden()


def test_what_was_said_becomes_flags():
    assert movie_flags(MovieSettings(axes="TCYX", channel=1)) == ["--axes", "TCYX", "--channel", "1"]
