"""Jobs: started, followed, paused, stopped, found again; and however one ends, that is told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from napari_tap_events.errors import OutputError
from napari_tap_events.jobs import process
from napari_tap_events.jobs.job_record import JobRecord, write_record
from napari_tap_events.jobs.output import STARTED
from napari_tap_events.jobs.process import Process
from napari_tap_events.jobs.runner import ENDED, PROGRAM, Job, find_jobs, resume, unfinished_job

QUICK = (sys.executable, "-X", "faulthandler", str(Path(__file__).with_name("quick_program.py")))
PATIENCE_S = 60


@pytest.fixture
def start(tmp_path):
    """Start a quick program that behaves as told; whatever still runs at the end is ended."""
    started = []

    def begin(how: str, *words: str, command: str = "pretrain") -> Job:
        folder = tmp_path / "jobs" / str(len(started))
        started.append(Job.start(command, [how, *words], tmp_path / "out", folder, QUICK))
        return started[-1]

    yield begin
    for job in started:
        process.end_now(job.record.process)
        until(job, lambda job=job: job.state in ENDED)


def until(job: Job, condition):
    """Follow a job until something holds; return all that it reported meanwhile."""
    reports, give_up = [], time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up, f"waited in vain; {job.state}: {job.message}\n{job.log_tail()}"
        reports += job.poll()
        threading.Event().wait(0.005)
    return reports


def to_end(job: Job):
    return until(job, lambda: job.state in ENDED)


def at_work(job: Job):
    return until(job, lambda: job.pace.stage == "work")


def test_a_job_tells_every_step_and_ends_well(start, tmp_path):
    job = start("count")
    assert job.state == "running"
    reports = to_end(job)
    assert [report.done for report in reports if report.stage == "work"] == list(range(1, 21))
    assert reports[-1].values == {"loss": 0.05}
    assert (job.state, job.message) == ("done", "")
    assert (tmp_path / "out" / "result.json").exists()
    assert job.poll() == []


def test_what_is_printed_beside_the_reports_goes_to_the_log(start):
    job = start("print")
    assert len([report for report in to_end(job) if report.stage == "work"]) == 20
    assert "half a line, printed by a library" in job.log_tail()


ENDS = {
    "mistake": "the movie is no movie; give one.",
    "memory": "there is not enough memory for this; choose a smaller batch",
    "bug": "(KeyError: 'lost'); please report it",
    "crash": "crashed inside a library (Segmentation fault)",
    "leave": "(SystemExit: 7)",
    "silent": "ended with exit code 0 without saying why",
}


@pytest.mark.parametrize("how", ENDS)
def test_every_bad_end_is_told_in_a_sentence(how, start):
    if how == "crash" and sys.platform == "win32":
        pytest.skip("a crash looks different there")
    job = start(how)
    to_end(job)
    assert job.state == "failed"
    assert ENDS[how] in job.message
    assert ("Traceback" in job.log_tail()) == (how in ("mistake", "memory", "bug"))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals there")
def test_a_killed_job_has_failed_for_its_parent_and_for_those_who_find_it(start):
    job = start("forever")
    at_work(job)
    os.kill(job.record.process.pid, signal.SIGKILL)
    to_end(job)
    assert job.state == "failed"
    assert "memory ran out" in job.message
    process._CHILDREN.clear()
    found = Job.open(job.folder)
    to_end(found)
    assert found.state == "failed"
    assert "without a word" in found.message


def test_a_job_that_outlives_the_program_is_let_go_without_a_warning(tmp_path):
    program = """
import sys
from pathlib import Path
from napari_tap_events.jobs.process import start_apart
sleep = [sys.executable, "-c", "import time; time.sleep(60)", "mine"]
print(start_apart(sleep, "mine", Path(sys.argv[1]) / "log.txt", Path(sys.argv[1])).pid)
"""
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    outlived = psutil.Process(int(told.stdout))
    outlived.kill()
    assert told.stderr == ""


def test_an_order_counts_at_once_and_the_job_stops_by_itself(start, tmp_path):
    job = start("forever")
    at_work(job)
    job.stop()
    assert job.state == "stopping"
    to_end(job)
    assert job.state == "stopped"
    assert "stopped after" in job.message
    assert not psutil.pid_exists(job.record.process.pid)
    assert (tmp_path / "out" / "count.txt").exists()


def test_a_job_that_does_not_listen_is_ended(start):
    job = start("deaf")
    at_work(job)
    job.stop()
    to_end(job)
    assert (job.state, job.message) == ("stopped", "")
    assert not psutil.pid_exists(job.record.process.pid)


def test_a_job_that_does_not_listen_ends_even_when_the_window_that_told_it_to_has_gone(start):
    job = start("deaf")
    at_work(job)
    job.stop()
    give_up = time.monotonic() + PATIENCE_S
    while process.is_alive(job.record.process):  # and nobody polls the job
        assert time.monotonic() < give_up
        threading.Event().wait(0.02)
    found = Job.open(job.folder)
    to_end(found)
    assert found.state == "stopped"


def test_a_job_can_be_stopped_before_it_has_begun(start):
    job = start("forever")
    job.stop()
    to_end(job)
    assert job.state == "stopped"


def test_a_paused_job_stands_still_and_its_pause_does_not_count_as_work(start):
    job = start("forever")
    at_work(job)
    job.pause()
    assert job.state == "paused"
    paused = time.monotonic()
    until(job, lambda: time.monotonic() > paused + 0.3)
    still = job.pace.done
    until(job, lambda: time.monotonic() > paused + 1.0)
    assert job.pace.done == still
    before = job.pace.taken_s
    job.go_on()
    assert job.state == "running"
    until(job, lambda: job.pace.done > still)
    assert job.pace.taken_s - before < 0.5


def test_a_stopped_job_goes_on_where_it_was_in_the_same_folder(start):
    job = start("hold")
    reports = until(job, lambda: job.pace.done == 5)
    job.stop()
    reports += to_end(job)
    assert job.state == "stopped"
    assert job.resumable
    again = resume(job)
    assert again.folder == job.folder
    assert again.record.arguments[-1] == "--resume"
    replayed = to_end(again)
    assert again.state == "done"
    assert replayed[: len(reports)] == reports
    assert [report.done for report in replayed if report.stage == "work"] == list(range(1, 21))
    assert not again.resumable


def test_a_job_that_ended_in_the_middle_of_a_line_goes_on_with_whole_lines(start):
    job = start("hold")
    at_work(job)
    job.stop()
    to_end(job)
    with (job.folder / "reports.jsonl").open("a") as file:
        file.write('{"stage": "wo')
    again = resume(job)
    stages = [report.stage for report in to_end(again)]
    assert again.state == "done"
    assert stages.count("starting") == 2


def test_a_command_that_cannot_resume_starts_over(start):
    job = start("count", command="detect")
    to_end(job)
    again = resume(job)
    assert "--overwrite" in again.record.arguments
    to_end(again)
    once_more = resume(again)
    assert once_more.record.arguments.count("--overwrite") == 1
    to_end(once_more)


@pytest.fixture
def stopped_in_a_project(tmp_path):
    """Lay out a stopped job of a project, as `Job.start` leaves it; its movie lies beside the project, other things elsewhere."""
    project, elsewhere = tmp_path / "lab" / "mine.tap", tmp_path / "elsewhere"
    folder, out = project / "jobs" / "pretrain-1", project / "encoders" / "1"
    for place in (folder, out, elsewhere):
        place.mkdir(parents=True)
    (project.parent / "movie.tif").touch()
    (out / STARTED).write_text("{}")
    words = (
        str(project.parent / "movie.tif"),
        "--cache",
        str(project / "features"),
        "--weights",
        str(elsewhere),
        "--steps",
        "20",
    )
    process = Process(os.getpid(), psutil.Process().create_time(), str(folder))
    write_record(folder, JobRecord("pretrain", words, out, QUICK, tmp_path, "2026-01-01T00:00:00.000+00:00", process))
    return project


def test_a_job_whose_project_was_moved_goes_on_in_the_new_place(stopped_in_a_project, tmp_path):
    stopped_in_a_project.parent.rename(tmp_path / "archive")
    project = tmp_path / "archive" / "mine.tap"
    job = unfinished_job(project / "jobs", "pretrain")
    assert job is not None
    assert (job.record.out, job.record.cwd) == (project / "encoders" / "1", tmp_path)
    movie, _, cache, _, weights, *others = job.record.arguments
    assert (movie, cache) == (str(tmp_path / "archive" / "movie.tif"), str(project / "features"))
    assert (weights, others) == (str(tmp_path / "elsewhere"), ["--steps", "20"])


def test_a_copy_of_a_job_leaves_the_first_one_alone(stopped_in_a_project, tmp_path):
    project = shutil.copytree(stopped_in_a_project, tmp_path / "copy.tap")
    job = unfinished_job(project / "jobs", "pretrain")
    assert job is not None
    job.catch_up()
    assert (job.state, job.record.out) == ("failed", project / "encoders" / "1")
    assert job.record.arguments[0] == str(stopped_in_a_project.parent / "movie.tif")


def test_a_job_seen_through_another_name_of_its_folder_is_the_same(stopped_in_a_project, tmp_path):
    (tmp_path / "link").symlink_to(stopped_in_a_project)
    assert Job.open(tmp_path / "link" / "jobs" / "pretrain-1").record.out == stopped_in_a_project / "encoders" / "1"


def test_a_running_job_is_not_started_twice(start):
    job = start("forever")
    with pytest.raises(OutputError, match="still runs; stop it first"):
        resume(job)
    with pytest.raises(OutputError, match="already holds a job"):
        Job.start("pretrain", ["count"], job.record.out, job.folder, QUICK)


def test_another_window_finds_the_running_job_follows_it_and_stops_it(start, monkeypatch):
    job = start("forever")
    first = at_work(job)
    monkeypatch.setattr(process, "_CHILDREN", {})  # as in another program
    found = Job.open(job.folder)
    reports = until(found, lambda: found.pace.stage == "work")
    assert found.state == "running"
    assert reports[: len(first)] == first[: len(reports)]
    found.stop()
    monkeypatch.undo()
    assert Job.open(job.folder).state == "stopping"
    to_end(job)
    to_end(found)
    assert (found.state, job.state) == ("stopped", "stopped")


def test_jobs_are_found_newest_first_and_other_folders_passed_over(start, tmp_path):
    made = [start("count"), start("count")]
    for job in made:
        to_end(job)
    (tmp_path / "jobs" / "other").mkdir()
    (tmp_path / "jobs" / "broken").mkdir()
    (tmp_path / "jobs" / "broken" / "job.json").write_text("{}")
    assert [job.folder for job in find_jobs(tmp_path / "jobs")] == [job.folder for job in reversed(made)]
    assert find_jobs(tmp_path / "nowhere") == []
    with pytest.raises(OutputError, match="holds no job"):
        Job.open(tmp_path / "jobs" / "broken")


def test_a_job_outlives_the_program_that_started_it(tmp_path):
    code = (
        "import sys; from pathlib import Path; from napari_tap_events.jobs.runner import Job\n"
        f"Job.start('pretrain', ['forever'], Path({str(tmp_path / 'out')!r}), Path({str(tmp_path / 'job')!r}), {QUICK!r})"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=PATIENCE_S)
    job = Job.open(tmp_path / "job")
    at_work(job)
    assert job.state == "running"
    job.stop()
    to_end(job)
    assert job.state == "stopped"


def test_another_process_with_the_same_number_is_not_taken_for_the_job(start):
    job = start("count")
    to_end(job)
    me = psutil.Process()
    stranger = process.Process(me.pid, me.create_time(), str(job.folder))
    reborn = process.Process(me.pid, me.create_time() - 1000, me.cmdline()[-1])
    assert not process.is_alive(stranger)
    assert not process.is_alive(reborn)
    assert process.is_alive(process.Process(me.pid, me.create_time(), me.cmdline()[-1]))
    process.end_now(stranger)  # or this test would end here


def test_ten_starts_and_stops_leave_no_process_and_no_file(start, tmp_path, monkeypatch):
    children, temporary = len(psutil.Process().children(recursive=True)), tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    for _ in range(10):
        job = start("forever")
        at_work(job)
        job.stop()
        to_end(job)
    assert len(psutil.Process().children(recursive=True)) == children
    assert {path.name for path in job.folder.iterdir()} == {"job.json", "reports.jsonl", "control.json", "log.txt"}
    assert list(temporary.iterdir()) == []


def test_the_window_is_left_a_core_unless_threads_are_said(start, monkeypatch):
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 4)
    assert start("count").record.arguments == ("count", "--threads", "3")
    for words in (["--threads", "4"], ["--threads=2"], ["--settings", "mine.toml"]):
        assert start("count", *words).record.arguments == ("count", *words)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 1)
    assert start("count").record.arguments == ("count", "--threads", "1")


@pytest.mark.skipif(sys.platform == "win32", reason="priorities are named differently there")
def test_a_job_gives_way_to_the_window(start):
    job = start("forever")
    at_work(job)
    assert psutil.Process(job.record.process.pid).nice() >= 10


def test_where_nothing_can_be_written_nothing_is_started(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot start 'pretrain'"):
        Job.start("pretrain", ["count"], tmp_path / "out", tmp_path / "file" / "job", QUICK)


def end_after_a_long_history(job):
    """Let a job that has ended have said 600 kB."""
    to_end(job)
    line = json.dumps({"stage": "work", "done": 1, "total": 20, "message": "x" * 1000, "values": {}, "seconds": 1.0}) + "\n"
    end = '{"stage": "end", "state": "done", "message": ""}\n'
    (job.folder / "reports.jsonl").write_text(line * 600 + end)


def test_a_long_history_is_read_in_parts_and_its_end_is_not_missed(start):
    job = start("count")
    end_after_a_long_history(job)
    found = Job.open(job.folder)
    assert 0 < len(found.poll()) < 600
    assert found.state == "running"
    to_end(found)
    assert found.state == "done"


def test_a_finished_job_with_a_long_history_is_not_taken_for_one_that_runs(start, tmp_path):
    job = start("count", command="detect")
    end_after_a_long_history(job)
    assert unfinished_job(tmp_path / "jobs", "detect") is None
    again = resume(Job.open(job.folder))
    to_end(again)
    assert again.state == "done"


def test_a_real_pretraining_is_stopped_moved_and_resumed(marked, tmp_path):
    words = ["--preset", "unet8", "--patch-px", "16", "--batch", "4", "--val-pairs", "8", "--steps", "60", "--device", "cpu"]
    job = Job.start("pretrain", [str(marked.movie), *words], tmp_path / "project" / "encoder", tmp_path / "project" / "job")
    assert job.record.program == PROGRAM
    until(job, lambda: job.pace.stage == "pretrain" and job.pace.done > 0)
    job.stop()
    to_end(job)
    assert job.state == "stopped", job.message + job.log_tail()
    moved = (tmp_path / "project").rename(tmp_path / "moved")
    again = resume(Job.open(moved / "job"))
    to_end(again)
    assert again.state == "done", again.message + again.log_tail()
    history = (moved / "encoder" / "history.csv").read_text().splitlines()
    assert history[-1].startswith("60,")
    assert {path.name for path in (moved / "encoder").iterdir()} == {
        "model.safetensors", "card.json", "history.csv", "result.json", "started.json"
    }  # fmt: skip
