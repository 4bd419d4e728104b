"""What a job will run on is asked once, of another process, and said in one line."""

from __future__ import annotations

import pytest

from napari_tap_events.gui import this_computer as module
from napari_tap_events.gui.this_computer import ASKING, DeviceLine, ThisComputer

CPU = {"device": "cpu", "device_name": "CPU", "cores": 4, "why": "this build of torch is for CPUs only"}
GPU = {"device": "cuda", "device_name": "NVIDIA T4", "device_free_gib": 12.25, "device_total_gib": 16.0, "cores": 4, "why": ""}


@pytest.fixture
def computer(qapp, monkeypatch):
    """A computer of which nothing is known yet, and that counts how often it is asked."""
    computer = ThisComputer()
    computer.questions = []
    monkeypatch.setattr(computer._question, "ask", computer.questions.append)
    monkeypatch.setattr(computer._measurement, "ask", computer.questions.append)
    monkeypatch.setattr(module, "_COMPUTER", [computer])
    return computer


def test_it_is_asked_when_a_line_is_seen_and_only_until_it_is_known(computer, qtbot):
    lines = [DeviceLine(), DeviceLine()]
    for line in lines:
        qtbot.addWidget(line)
    assert computer.questions == []
    lines[0].show()
    assert computer.questions == [["doctor", "--json"]]
    assert lines[0].text() == ASKING
    computer._question.answered.emit(CPU)
    assert [line.text() for line in lines] == [computer.words()] * 2
    lines[1].show()
    assert computer.questions.count(["doctor", "--json"]) == 1


SENTENCES = {
    ("cpu", "auto"): "Runs on the CPU, 4 cores.",
    ("cpu", "cuda"): "There is no NVIDIA GPU to run on (this build of torch is for CPUs only); choose device auto.",
    ("cuda", "auto"): "Runs on NVIDIA T4. 12.2 of 16.0 GiB of its memory were free.",
    ("cuda", "cuda"): "Runs on NVIDIA T4.",
    ("cuda", "cpu"): "Runs on the CPU, 4 cores.",
    ("mps", "auto"): "Runs on the Apple GPU.",
    ("", "auto"): "torch cannot be loaded (no torch); install torch",
}


@pytest.mark.parametrize(("there", "chosen"), SENTENCES)
def test_the_line_says_where_a_job_will_run(computer, there, chosen):
    known = {"cpu": CPU, "cuda": GPU, "mps": CPU | {"device": "mps"}, "": CPU | {"device": "", "why": "no torch"}}[there]
    computer._question.answered.emit(known)
    words = computer.words(chosen)
    assert SENTENCES[there, chosen] in words
    assert ("GiB memory are free" in words) == ("CPU, 4" in words or "Apple" in words)


def test_its_speed_is_measured_once_and_remembered(computer, qtbot):
    computer._question.answered.emit(CPU)
    assert computer.questions == [["doctor", "--json", "--speed"]]
    with qtbot.waitSignal(computer.known):
        computer._measurement.answered.emit(CPU | {"pixels_per_s": {"1": 5e5, "4": 1.4e6}})
    assert computer.speeds.pace("cpu", 3) == pytest.approx(1.1e6)
    again = ThisComputer()
    assert again.speeds == computer.speeds


def test_no_answer_is_said_too(computer, qtbot):
    line = DeviceLine()
    qtbot.addWidget(line)
    computer._question.failed.emit("No answer came.")
    assert line.text().endswith("is not known: No answer came.")


def test_the_doctor_answers_what_is_asked(qapp, qtbot):
    computer = ThisComputer()
    with qtbot.waitSignal(computer.known, timeout=120_000):
        computer.ask()
    assert computer.trouble == ""
    assert "Runs on" in computer.words()
