"""The command line: help for all, one sentence for every mistake, JSON for machines, and a clean stop."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
import tifffile
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from napari_tap_events import __version__, cli

COMMANDS = sorted(info.name or info.callback.__name__ for info in cli.app.registered_commands)
TAP = ["--preset", "unet8", "--patch-px", "16", "--batch", "4", "--val-pairs", "8", "--device", "cpu", "--threads", "1"]
HEAD = ["--preset", "unet8", "--steps", "3", "--batch", "2", "--tile-px", "24", "--crop-px", "16", "--area-px", "10",
        "--guard-frames", "0", "--device", "cpu", "--threads", "1"]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A movie with two events in every third frame, its mask, a movie of two channels, and models made from them."""
    made = tmp_path_factory.mktemp("cli")
    rng = np.random.default_rng(0)
    movie, masks = rng.normal(40, 4, (24, 40, 48)), np.zeros((24, 40, 48), np.uint8)
    y, x = np.mgrid[:40, :48]
    for t in range(0, 23, 3):
        cy, cx = rng.uniform(8, 32, 2)
        movie[t : t + 2] += 90 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 16)
        masks[t : t + 2, (y - cy) ** 2 + (x - cx) ** 2 < 25] = 1
    movie = np.clip(movie, 0, 255).astype(np.uint8)
    tifffile.imwrite(made / "movie.tif", movie, metadata={"axes": "TYX"})
    tifffile.imwrite(made / "masks.tif", masks, metadata={"axes": "TYX"})
    tifffile.imwrite(made / "small.tif", masks[:, 1:], metadata={"axes": "TYX"})
    tifffile.imwrite(made / "two.tif", np.stack([movie, movie], 1), imagej=True, metadata={"axes": "TCYX"})
    tifffile.imwrite(made / "odd.tif", np.zeros((4, 5, 6, 7), np.uint8))
    assert run("pretrain", made / "movie.tif", "--out", made / "encoder", "--steps", "2", *TAP).exit_code == 0
    labelled = ("--movie", made / "movie.tif", "--masks", made / "masks.tif")
    assert run("train", *labelled, "--encoder", "intensity", "--out", made / "head", *HEAD).exit_code == 0
    return made


def run(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def said(monkeypatch, capfd, *words) -> tuple[int, str, str]:
    """Run `main` as the shell does; return exit code, stdout and stderr."""
    monkeypatch.setattr(sys, "argv", ["napari-tap-events", *(str(word) for word in words)])
    capfd.readouterr()
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = end.code or 0
    return code, *capfd.readouterr()


def shell(*words) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "napari_tap_events.cli", *(str(word) for word in words)]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_the_whole_job_has_its_commands():
    assert {
        "info",
        "pretrain",
        "train",
        "detect",
        "explain",
        "score",
        "report",
        "open",
        "doctor",
        "synth",
        "demo",
        "study",
    } <= set(COMMANDS)


def test_the_version_is_told(monkeypatch, capfd):
    assert said(monkeypatch, capfd, "--version") == (0, __version__ + "\n", "")


MISTAKES = {
    "a missing file": ("pretrain {d}/none.tif --out {o}", "there is no file or folder"),
    "no channel chosen": ("pretrain {d}/two.tif --out {o}", "has 2 channels"),
    "a channel that is not there": ("pretrain {d}/two.tif --channel 2 --out {o}", "channel 2 does not exist"),
    "unknown axes": ("pretrain {d}/odd.tif --out {o}", "axes of 'odd.tif' are unknown"),
    "a mask of another size": ("train --movie {d}/movie.tif --masks {d}/small.tif --out {o}", "has shape (24, 39, 48)"),
    "more masks than movies": ("train --movie {d}/movie.tif --masks {d}/masks.tif --masks {d}/masks.tif --out {o}", "do not go together"),
    "a patch larger than the frame": ("pretrain {d}/movie.tif --patch-px 64 --out {o}", "patch_px = 64 is larger"),
    "an odd crop": ("train --movie {d}/movie.tif --masks {d}/masks.tif --crop-px 15 --out {o}", "crop_px = 15 is odd; choose 16"),
    "a value beyond its limits": ("pretrain {d}/movie.tif --batch 1 --out {o}", "batch = 1 will not do"),
    "a game that is not known": ("pretrain {d}/movie.tif --pretext chess --out {o}", "'chess'; there are: time_arrow, simulated"),
    "settings of another game": ("pretrain {d}/movie.tif --game-settings order.mode=sort --out {o}", "a game that is not played"),
    "a game that is not there to be explained": ("games chess", "there is no game 'chess'; there are: time_arrow"),
    "a game without its movie": ("pretrain --pretext time_arrow --out {o}", "is played on movies: give at least one MOVIE"),
    "a head that the encoder lacks": ("detect {d}/movie.tif --encoder {d}/encoder --by both --out {o}", "taught by simulated movies"),
    "no delta": ("pretrain {d}/movie.tif --deltas , --out {o}", "deltas"),
    "a delta of no frames": ("pretrain {d}/movie.tif --deltas 0 --out {o}", "deltas"),
    "a delta that is no number": ("pretrain {d}/movie.tif --deltas one --out {o}", "deltas"),
    "a device that is not there": ("pretrain {d}/movie.tif --device mps --patch-px 16 --out {o}", "device = 'mps' is not available here"),
    "a folder that is no model": ("detect {d}/movie.tif --head {d} --out {o}", "is no model folder"),
    "an encoder for a head": ("detect {d}/movie.tif --head {d}/encoder --out {o}", "holds an encoder, but a head is needed"),
    "a head for an encoder": ("explain {d}/movie.tif --encoder {d}/head --out {o}", "holds a head, but an encoder is needed"),
    "neither head nor encoder": ("detect {d}/movie.tif --out {o}", "exactly one of them"),
    "both overwrite and resume": ("pretrain {d}/movie.tif --overwrite --resume --out {o}", "contradict each other"),
    "an output that is not ours": ("pretrain {d}/movie.tif --patch-px 16 --out {d}", "not made by this software"),
    "results in the way": ("pretrain {d}/movie.tif --patch-px 16 --out {d}/encoder", "add --overwrite to replace it"),
    "a settings file that is not there": ("pretrain {d}/movie.tif --settings {d}/no.toml --out {o}", "cannot be read"),
    "a table without places": ("score {d}/bad.csv {d}/bad.csv", "is no events table: it lacks y, x"),
    "a table that is not there": ("score {d}/no.csv {d}/no.csv", "cannot be read"),
    "masks without a movie to study": ("study seeds {d}/movie.tif --masks {d}/masks.tif --masks x.tif --out {o}", "do not go together"),
    "rows that no study has": ("study seeds {d}/movie.tif --masks {d}/masks.tif --rows none --out {o}", "rows = 'none' names none of"),
    "no result to report": ("report {d}/none", ""),
    "masks without a movie": ("demo --masks {d}/masks.tif --out {o}", "belong to a movie"),
    "a head that a newer version made": ("detect {d}/movie.tif --head {d}/newer --out {o}", "schema 99, this software knows up to 2"),
    "a head of other channels": ("detect {d}/movie.tif --head {d}/two --out {o}", "reads 2 channel(s), the movie has 1"),
    "damaged weights": ("detect {d}/movie.tif --head {d}/damaged --out {o}", "cannot be read"),
}  # fmt: skip


def _copy(folder: Path, name: str, **card) -> None:
    (folder / name).mkdir(exist_ok=True)
    for path in (folder / "head").iterdir():
        if path.is_file():
            (folder / name / path.name).write_bytes(path.read_bytes())
    values = json.loads((folder / name / "card.json").read_text()) | card
    (folder / name / "card.json").write_text(json.dumps(values))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_sentence_before_any_work(mistake, folder, tmp_path, monkeypatch, capfd):
    _copy(folder, "newer", schema_version=99)
    _copy(folder, "two", channels=2)
    _copy(folder, "damaged")
    (folder / "damaged" / "model.safetensors").write_bytes(b"\xff" * 64)
    (folder / "bad.csv").write_text("t,probability\n1,0.5\n")
    words, told = MISTAKES[mistake]
    code, out, err = said(monkeypatch, capfd, *words.format(d=folder, o=tmp_path / "out").split())
    assert code == 2
    assert told.lower() in err.lower()
    assert len(err.strip().splitlines()) == 1
    assert not err[0].islower() or " = " in err
    assert "Traceback" not in err
    assert out == ""
    assert not (tmp_path / "out").exists()


def test_a_mistake_is_told_to_machines_too(folder, monkeypatch, capfd):
    for words in (("--reports", "json"), ("--reports=json",)):
        code, out, _ = said(monkeypatch, capfd, "pretrain", folder / "none.tif", "--out", folder / "x", *words)
        report = json.loads(out)
        assert (code, report["stage"], report["kind"]) == (2, "error", "MovieError")


def test_json_reports_are_one_object_a_line_and_nothing_else(folder, tmp_path, monkeypatch, capfd):
    code, out, _ = said(
        monkeypatch, capfd, "pretrain", folder / "movie.tif", "--out", tmp_path / "e", "--steps", 3, *TAP, "--reports", "json"
    )
    assert code == 0
    reports = [json.loads(line) for line in out.splitlines()]
    assert all(set(report) == {"stage", "done", "total", "message", "values"} for report in reports)
    assert (reports[-1]["done"], reports[-1]["total"]) == (3, 3)


def test_a_command_that_is_a_job_writes_into_its_folder_and_ends_with_a_word(folder, tmp_path, monkeypatch, capfd):
    words = ["pretrain", folder / "movie.tif", "--out", tmp_path / "e", "--steps", 3, *TAP, "--job", tmp_path / "job"]
    monkeypatch.setattr("napari_tap_events.jobs.process._lower_priority", lambda: psutil.Process().nice())
    code, _, _ = said(monkeypatch, capfd, *words)
    told = [json.loads(line) for line in (tmp_path / "job" / "reports.jsonl").read_text().splitlines()]
    assert (code, told[-1]["state"]) == (0, "done")
    assert [line["done"] for line in told[:-1]][-1] == 3
    assert told[-2]["seconds"] > 0
    code, _, err = said(monkeypatch, capfd, *words)
    told = [json.loads(line) for line in (tmp_path / "job" / "reports.jsonl").read_text().splitlines()]
    assert (code, told[-1]["state"], told[-1]["kind"]) == (2, "failed", "OutputError")
    assert told[-1]["message"].strip() in err


def test_a_job_without_a_place_for_its_folder_is_told_so(folder, tmp_path, monkeypatch, capfd):
    (tmp_path / "file").write_text("")
    words = ["pretrain", folder / "movie.tif", "--out", tmp_path / "e", "--job", tmp_path / "file" / "job"]
    code, _, err = said(monkeypatch, capfd, *words)
    assert code == 2
    assert "cannot write to the job's folder" in err.lower()


def test_flags_come_before_the_settings_file_and_the_file_before_defaults(folder, tmp_path, monkeypatch, capfd):
    (tmp_path / "s.toml").write_text('steps = 2\nseed = 7\npreset = "unet8"\ndevice = "cpu"\ndeltas = [1, 2]\n')
    words = ["--settings", tmp_path / "s.toml", "--seed", 3, "--patch-px", 16, "--batch", 4, "--val-pairs", 8]
    code, _, err = said(monkeypatch, capfd, "pretrain", folder / "movie.tif", "--out", tmp_path / "e", *words)
    assert code == 0, err
    stored = json.loads((tmp_path / "e" / "result.json").read_text())["settings"]["pretrain"]
    assert (stored["steps"], stored["seed"], stored["deltas"], stored["schedule"]) == (2, 3, [1, 2], "one-cycle")


def test_what_was_found_and_what_comes_next_is_told(folder, tmp_path):
    result = run("detect", folder / "movie.tif", "--head", folder / "head", "--out", tmp_path / "d", "--device", "cpu")
    assert result.exit_code == 0
    assert "events above the threshold" in result.output
    assert "Next: napari-tap-events open" in result.output


def test_a_movie_is_described_for_people_and_machines(folder, monkeypatch, capfd):
    code, out, _ = said(monkeypatch, capfd, "info", folder / "movie.tif", "--json")
    about = json.loads(out)
    assert (code, about["shape"]) == (0, {"T": 24, "C": 1, "Y": 40, "X": 48})
    assert "frames      24" in run("info", folder / "movie.tif", "--no-check").output


def test_tables_are_scored(folder, tmp_path, monkeypatch, capfd):
    (tmp_path / "truth.csv").write_text("t,y,x,kind\n3,10,10,division\n9,20,20,division\n")
    (tmp_path / "found.csv").write_text("t,y,x,kind,probability\n3,11,10,division,0.9\n15,30,30,division,0.8\n")
    code, out, _ = said(monkeypatch, capfd, "score", tmp_path / "found.csv", tmp_path / "truth.csv", "--json")
    values = json.loads(out)
    assert (code, values["tp"], values["fp"], values["fn"]) == (0, 1, 1, 1)
    _, out, _ = said(monkeypatch, capfd, "score", tmp_path / "found.csv", tmp_path / "truth.csv", "--partial")
    assert "false cannot be told, missed 1" in out
    assert "precision -  recall 0.500  F1 -" in out
    assert "Recall by tolerance" in out


def test_the_doctor_says_what_is_there(monkeypatch, capfd):
    code, out, _ = said(monkeypatch, capfd, "doctor")
    assert code == 0
    assert f"torch {torch.__version__}".split("+")[0] in out


def test_the_doctor_tells_programs_the_same(monkeypatch, capfd):
    code, out, _ = said(monkeypatch, capfd, "doctor", "--json")
    known = json.loads(out)
    assert (code, known["versions"]["torch"]) == (0, torch.__version__)
    assert known["device"] == ("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
    assert 0 < known["memory_free_gib"] < known["memory_total_gib"]
    assert all(len(one["packages"]) <= 2 for one in known["missing"]), "names of packages, not their letters"


def test_a_missing_part_is_named_with_what_brings_it(monkeypatch, capfd):
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *more: None if name == "av" else found(name, *more))
    _, out, _ = said(monkeypatch, capfd, "doctor")
    assert "Missing: av, for AVI and MP4 movies: pip install 'napari-tap-events[video]'" in out


def test_a_synthetic_movie_is_made_once(tmp_path, monkeypatch, capfd):
    words = ["synth", tmp_path / "s", "--frames", 4, "--height", 48, "--width", 48, "--cells", 3]
    assert said(monkeypatch, capfd, *words)[0] == 0
    assert {path.name for path in (tmp_path / "s").iterdir()} == {"movie.tif", "masks.tif", "truth.csv"}
    code, _, err = said(monkeypatch, capfd, *words)
    assert code == 2
    assert "add --overwrite" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_cleanly_says_how_to_go_on_and_resuming_ends_the_same(number, folder, tmp_path):
    words = ["pretrain", folder / "movie.tif", "--out", tmp_path / "e", "--steps", 150, *TAP]
    running = subprocess.Popen(shell(*words, "--reports", "json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in running.stdout:
        if json.loads(line)["done"] > 0:
            break
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "the same command with --resume goes on" in err
    assert "Traceback" not in err
    assert run(*words, "--resume").exit_code == 0
    whole = [str(tmp_path / "w") if word == tmp_path / "e" else word for word in words]
    assert run(*whole).exit_code == 0
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in "ew")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_ctrl_c_before_the_work_begins_ends_with_130_and_no_traceback(folder, tmp_path):
    code = "import napari_tap_events.cli as c, napari_tap_events.jobs.pretrain as p\n" \
           "def broken(*a): raise KeyboardInterrupt\np.pretrain = broken\nc.main()"  # fmt: skip
    words = ["-W", "ignore", "-c", code, "pretrain", str(folder / "movie.tif"), "--out", str(tmp_path / "e")]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, env=os.environ, timeout=60, check=False)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert "Stopped at once" in done.stderr


def test_a_closed_pipe_is_no_accident(folder):
    command = " ".join(shell("info", folder / "movie.tif")) + " | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr


def test_an_estimate_is_said_and_nothing_is_started(folder, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("napari_tap_events.jobs.self_speed.speeds_file", lambda: tmp_path / "speeds.json")
    marked = ("--movie", folder / "movie.tif", "--masks", folder / "masks.tif", "--encoder", "intensity")
    for words in (
        ("pretrain", folder / "movie.tif", "--steps", 9, *TAP),
        ("train", *marked, *HEAD),
        ("detect", folder / "movie.tif", "--head", folder / "head"),
        ("explain", folder / "movie.tif", "--encoder", folder / "encoder"),
    ):
        code, out, err = said(monkeypatch, capfd, *words, "--out", tmp_path / "out", "--estimate")
        assert (code, err) == (0, "")
        assert out.startswith("Roughly ")
        assert "GiB of memory" in out
        assert not (tmp_path / "out").exists()
    measured = json.loads((tmp_path / "speeds.json").read_text())["pixels_per_s"]
    assert all(speed > 0 for speed in measured["cpu"].values())


def test_a_job_that_takes_more_memory_than_the_limit_is_not_begun(folder, tmp_path, monkeypatch, capfd):
    words = (
        "pretrain",
        folder / "movie.tif",
        "--out",
        tmp_path / "out",
        "--memory-limit",
        "0.5",
        "--device",
        "cpu",
        "--batch",
        256,
    )
    code, _, err = said(monkeypatch, capfd, *words)
    assert code == 2
    assert err.startswith("memory_limit = 0.5 GB is too little: about ")
    assert not (tmp_path / "out").exists()


def test_the_doctor_measures_the_speed_where_it_is_asked_to(monkeypatch, capfd):
    _, plain, _ = said(monkeypatch, capfd, "doctor", "--json")
    _, measured, _ = said(monkeypatch, capfd, "doctor", "--json", "--speed")
    assert set(json.loads(measured)) - set(json.loads(plain)) == {"pixels_per_s"}
    assert "million pixels per second" in said(monkeypatch, capfd, "doctor", "--speed")[1]
