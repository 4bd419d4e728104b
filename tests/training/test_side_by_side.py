"""Runs side by side: as if one came after the other, but at the same time; they end when they are told to, or one of them fails."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from napari_tap_events.errors import JobStopped, ModelError
from napari_tap_events.reports import Control, Report
from napari_tap_events.training.side_by_side import side_by_side

SECONDS = 20


def ended(steps):
    said = []
    while True:
        try:
            said.append(next(steps))
        except StopIteration as end:
            return end.value, said


def counts(upto, answer, meet=None):
    """A run that counts, and meets another on its way."""

    def run(control):
        for done in range(upto + 1):
            yield Report("count", done, upto)
            if control.wait_or_stop():
                raise JobStopped("stopped")
        if meet is not None:
            meet.wait(SECONDS)
        return answer

    return run


def endless(seen):
    """A run that ends only when it is told to."""

    def run(control):
        while not control.wait_or_stop():
            yield Report("endless", 1, 2)
            time.sleep(0.001)
        seen.append("ended")
        raise JobStopped("stopped")

    return run


def under_way(steps):
    """Go on until something was done, and return what was said of it."""
    return next(report for report in steps if report.done)


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_what_they_return_comes_in_their_order(at_once):
    values, said = ended(side_by_side("folds", [counts(n, n) for n in (4, 1, 3)], at_once))
    assert values == [4, 1, 3]
    assert {one.stage for one in said} == {"folds"}
    assert [one.done for one in said] == sorted(one.done for one in said)


def test_they_go_on_at_the_same_time():
    meet = threading.Barrier(2)
    assert ended(side_by_side("folds", [counts(1, "a", meet), counts(1, "b", meet)], 2))[0] == ["a", "b"]


@pytest.mark.parametrize("at_once", [2, 4])
def test_the_cores_are_shared_out_among_the_threads_that_are_needed_and_given_back(at_once):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        shares = []

        def run(control):
            yield Report("count", 1, 1)
            shares.append(torch.get_num_threads())

        ended(side_by_side("folds", [run, run], at_once))
        assert shares == [2, 2]
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_of_none_there_is_nothing_to_wait_for():
    assert ended(side_by_side("folds", [], 2)) == ([], [Report("folds")] * 2)


def test_one_that_fails_ends_the_others():
    seen = []

    def fails(control):
        yield Report("count", 0, 1)
        raise ModelError("no longer a number")

    with pytest.raises(ModelError, match="no longer a number"):
        ended(side_by_side("folds", [endless(seen), fails], 2))
    assert seen == ["ended"]


def test_who_closes_it_ends_them():
    seen = []
    steps = side_by_side("folds", [endless(seen), endless(seen), endless(seen)], 2)
    under_way(steps)
    steps.close()
    assert seen == ["ended", "ended"]
    assert not [one for one in threading.enumerate() if one.name.startswith("folds")]


def test_who_asks_to_stop_is_told_that_they_stopped():
    control, seen = Control(), []
    steps = side_by_side("folds", [endless(seen)], 1, control)
    under_way(steps)
    control.stopping = True
    with pytest.raises(JobStopped):
        ended(steps)
    assert seen == ["ended"]


def test_what_is_measured_is_the_mean_of_those_at_work():
    meet, seen = threading.Barrier(3), threading.Barrier(3)

    def run(loss):
        def steps(control):
            yield Report("head", 5, 10, values={"loss": loss})
            meet.wait(SECONDS)  # both have reported
            seen.wait(SECONDS)  # and it was read

        return steps

    steps = side_by_side("2 heads", [run(0.2), run(0.4)], 2)
    under_way(steps)
    meet.wait(SECONDS)
    told = next(steps)
    seen.wait(SECONDS)
    assert (told.stage, told.done, told.total) == ("2 heads", 10, 20)
    assert told.values["loss"] == pytest.approx(0.3)
    ended(steps)


def test_what_has_not_begun_will_do_as_much_as_what_has():
    def run(control):
        yield Report("head", 10, 10)
        yield Report("features", 2, 4)

    _, said = ended(side_by_side("3 heads", [run, run, run], 1))
    assert (said[-1].done, said[-1].total) == (36, 42)
    first = side_by_side("2 heads", [endless([]), run], 1)
    told = under_way(first)
    first.close()
    assert (told.done, told.total) == (1, 4)


def test_who_stops_at_the_first_report_stops_before_anything_has_begun():
    seen = []
    steps = side_by_side("folds", [endless(seen)], 1)
    assert next(steps) == Report("folds", 0, 0)
    assert not seen
    steps.close()
    assert not seen
