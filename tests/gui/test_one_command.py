"""A command runs in a process of its own, which ends with what asked for it."""

from __future__ import annotations

import psutil
from qtpy.QtWidgets import QWidget

from napari_tap_events import __version__
from napari_tap_events.gui.one_command import OneCommand


def test_how_a_command_ended_is_told_with_what_it_said(qtbot, tmp_path):
    command = OneCommand()
    with qtbot.waitSignal(command.ended, timeout=60_000) as said:
        command.run(["--version"])
    assert said.args == [True, f"{__version__}\n", ""]
    with qtbot.waitSignal(command.ended, timeout=60_000) as said:
        command.run(["report", str(tmp_path)])
    well, printed, wrong = said.args
    assert (well, printed) == (False, "")
    assert str(tmp_path) in wrong
    assert not command.running()


def test_a_process_does_not_outlive_the_window_that_asked(qtbot, tmp_path):
    asking = QWidget()
    command = OneCommand(asking)
    command.run(["info", str(tmp_path / "nowhere.tif"), "--json"])
    qtbot.waitUntil(lambda: command._process.processId() > 0)
    process = psutil.Process(command._process.processId())
    with qtbot.waitSignal(asking.destroyed):
        asking.deleteLater()
    qtbot.waitUntil(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
