"""Following a job: everything it says arrives, in order, and its end is known before it is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from napari_tap_events.gui.job_watch import JobWatch
from napari_tap_events.jobs.process import end_now
from napari_tap_events.jobs.runner import ENDED, Job

QUICK = (sys.executable, str(Path(__file__).parents[1] / "jobs" / "quick_program.py"))


@pytest.fixture
def start(tmp_path, qtbot):
    started = []

    def begin(how):
        folder = tmp_path / "jobs" / str(len(started))
        started.append(Job.start("pretrain", [how], tmp_path / "out", folder, QUICK))
        return started[-1]

    yield begin
    for job in started:
        end_now(job.record.process)
        qtbot.waitUntil(lambda job=job: bool(job.poll()) or job.state in ENDED, timeout=60_000)


@pytest.fixture
def watch(qtbot):
    watch = JobWatch()
    yield watch
    watch.leave()


def test_all_reports_arrive_in_order_and_then_the_end(start, watch, qtbot):
    told = []
    watch.reported.connect(lambda reports: told.extend(report.done for report in reports if report.stage == "work"))
    watch.ended.connect(lambda state, message: told.append((state, message, watch.running())))
    with qtbot.waitSignal(watch.ended, timeout=60_000):
        watch.follow(start("count"))
        assert watch.running()
    assert told == [*range(1, 21), ("done", "", False)]


def test_who_hears_of_the_end_may_start_the_next_job_at_once(start, watch, qtbot):
    ends = []

    def take(state, message):
        ends.append(state)
        if len(ends) == 1:
            watch.follow(start("mistake"))

    watch.ended.connect(take)
    watch.follow(start("count"))
    qtbot.waitUntil(lambda: len(ends) == 2, timeout=60_000)
    assert ends == ["done", "failed"]


def test_a_job_that_is_left_lives_on(start, watch, qtbot):
    job = start("forever")
    heard = []
    watch.follow(job)
    qtbot.waitUntil(lambda: job.pace.stage == "work", timeout=60_000)
    watch.reported.connect(heard.append)
    watch.leave()
    other = Job.open(job.folder)
    qtbot.waitUntil(lambda: bool(other.poll()) and other.pace.done > 5, timeout=60_000)
    assert heard == []
    assert other.state == "running"


def test_with_nothing_to_follow_nothing_runs(watch):
    watch._look()
    assert not watch.running()
