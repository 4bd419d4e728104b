"""Reports read back as they were written; the time left is the mean of the stage so far."""

from __future__ import annotations

import json
import math

import pytest

from napari_tap_events.reports import Pace, Report, clock


def test_a_report_is_read_back_as_it_was_written():
    report = Report("head", 3, 9, "hello", {"loss": 0.25})
    assert Report.from_values(json.loads(report.to_json())) == report


def test_what_was_no_number_is_read_as_none_and_unknown_names_are_left_out():
    told = json.loads(Report("head", values={"loss": math.inf}).to_json()) | {"seconds": 3.0}
    assert math.isnan(Report.from_values(told).values["loss"])
    assert Report.from_values({"stage": "starting"}) == Report("starting")


def test_the_time_left_follows_from_the_steps_of_this_stage_alone():
    pace = Pace()
    assert pace.take(Report("features", 9, 10), 50.0)
    assert pace.take(Report("head", 100, 200), 60.0), "a new stage, which goes on from step 100"
    assert pace.left_s is None
    assert not pace.take(Report("head", 110, 200), 70.0)
    assert pace.left_s == pytest.approx(90.0)
    assert pace.taken_s == pytest.approx(10.0)
    pace.take(Report("head", 200, 200), 160.0)
    assert pace.left_s == 0.0


def test_what_an_earlier_run_has_done_is_not_taken_for_speed():
    pace = Pace()
    pace.take(Report("pretrain", 0, 400, "goes on after step 254"), 0.0)
    pace.take(Report("pretrain", 255, 400), 20.0)
    assert pace.left_s is None
    pace.take(Report("pretrain", 260, 400), 70.0)
    assert pace.left_s == pytest.approx(10.0 * 140)


@pytest.mark.parametrize("last", [Report("a", 1, 40), Report("a", 5, 0), Report("a", 0, 40)])
def test_no_time_is_told_too_early_or_without_a_total(last):
    pace = Pace()
    pace.take(Report("a", 0, last.total), 0.0)
    pace.take(last, 2.0 if last.done == 1 else 100.0)
    assert pace.left_s is None


def test_times_are_written_as_on_a_clock():
    assert [clock(seconds) for seconds in (0.4, 59.6, 3600)] == ["0:00", "1:00", "1:00:00"]
