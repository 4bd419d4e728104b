"""Following a recipe on the terminal."""

from __future__ import annotations

import json
import os
import signal

import pytest

from napari_tap_events.errors import JobStopped
from napari_tap_events.follow import Reports, TextLines, follow
from napari_tap_events.reports import Control, Report


def work(*reports, end="made"):
    yield from reports
    return end


def test_the_result_of_the_recipe_is_returned():
    assert follow(work(), Control(), Reports.text) == "made"


def test_json_is_one_object_a_line(capsys):
    follow(work(Report("a", 1, 2, "hello\nthere", {"loss": 0.5, "nan": float("nan")})), Control(), Reports.json)
    out, err = capsys.readouterr()
    assert [json.loads(line, parse_constant=pytest.fail) for line in out.splitlines()] == [
        {"stage": "a", "done": 1, "total": 2, "message": "hello\nthere", "values": {"loss": 0.5, "nan": None}}
    ]
    assert err == ""


def test_text_goes_to_stderr_so_that_stdout_can_be_piped(capsys):
    follow(work(Report("head", 5, 5, values={"loss": 0.25}), Report("x", message="wrote it")), Control(), Reports.text)
    out, err = capsys.readouterr()
    assert out == ""
    assert "5 / 5" in err
    assert "loss 0.250" in err
    assert "Wrote it" in err


def test_ctrl_c_asks_the_recipe_to_stop_and_a_second_one_insists():
    control, before = Control(), signal.getsignal(signal.SIGINT)

    def patient():
        yield Report("a")
        os.kill(os.getpid(), signal.SIGINT)
        assert control.stopping
        yield Report("a")
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the second one must interrupt")

    with pytest.raises(KeyboardInterrupt):
        follow(patient(), control, Reports.text)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_open_line_is_ended_before_an_error_is_told(capsys, monkeypatch):
    monkeypatch.setattr(TextLines, "live", True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)

    def failing():
        yield Report("pretrain", 5, 10)
        raise JobStopped("stopped")

    with pytest.raises(JobStopped):
        follow(failing(), Control(), Reports.text)
    assert capsys.readouterr().err.endswith("\n")


def test_the_time_left_is_told(capsys, monkeypatch):
    clock = iter([100.0, 110.0, 120.0, 400.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    follow(work(Report("a", 0, 40), Report("a", 1, 40), Report("a", 2, 40), Report("a", 4, 40)), Control(), Reports.text)
    assert "58:00 left" in capsys.readouterr().err
