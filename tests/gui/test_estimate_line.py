"""The line that says what a job will take: from the settings as they are, and better after each job."""

from __future__ import annotations

import numpy as np
import pytest

from napari_tap_events.gui import this_computer
from napari_tap_events.gui.estimate_line import EstimateLine, Material
from napari_tap_events.jobs.speeds import Speeds
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.settings import ComputeSettings, PretrainSettings

MOVIE = movie_from_array(np.zeros((20, 64, 64), np.uint8))


@pytest.fixture
def computer(qapp, monkeypatch):
    computer = this_computer.ThisComputer()
    computer.facts = {"device": "cpu", "cores": 2, "why": ""}
    computer.speeds = Speeds({"cpu": {"1": 1e6}})
    monkeypatch.setattr(this_computer, "_COMPUTER", [computer])
    return computer


@pytest.fixture
def line(computer, qtbot):
    settings = [PretrainSettings(), ComputeSettings(threads=1)]
    line = EstimateLine("pretrain", lambda: settings)
    line.settings = settings
    line.ask(lambda: Material(MOVIE))
    qtbot.addWidget(line)
    line.refresh()
    return line


def test_nothing_is_said_without_a_movie(line):
    line.ask(lambda: None)
    line.refresh()
    assert (line.text(), line.isHidden()) == ("", True)


def test_it_follows_the_settings(line):
    before = line.value()
    line.settings[0] = PretrainSettings(batch=64)
    assert line.value().nbytes > before.nbytes
    line.refresh()
    assert line.text().startswith("Takes roughly ")
    assert "GiB" in line.text()


def test_memory_is_said_before_the_speed_is_known(line, computer):
    computer.speeds = Speeds()
    line.refresh()
    assert "the time is being measured" in line.text()


def test_a_setting_that_will_not_do_has_no_estimate(line):
    def wrong():
        return [PretrainSettings.checked(batch=-1)]

    line._settings = wrong
    line.refresh()
    assert line.isHidden()


def test_the_end_of_a_job_makes_the_next_estimate_exact(line, computer):
    before = line.value()
    line.begin()
    line.set_busy(True)
    assert line.isHidden()
    line.settings[0] = PretrainSettings(steps=1)  # what is changed meanwhile is not what was started
    line.learn(2 * before.seconds)
    line.settings[0] = PretrainSettings()
    line.refresh()
    after = line.value()
    assert after.seconds == pytest.approx(2 * before.seconds, rel=0.02)
    assert line.text().startswith("Takes about ")
    assert this_computer.load_speeds(this_computer.speeds_file()) == computer.speeds
