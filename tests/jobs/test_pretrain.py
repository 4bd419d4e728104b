"""The recipe `pretrain`: an encoder folder comes out, the very same one after a stop."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import torch
from safetensors.torch import load_file

from napari_tap_events.encoder.weights import load_encoder
from napari_tap_events.errors import JobStopped, ModelError, MovieError, OutputError, SettingsError
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.pretrain import plan_of, pretrain
from napari_tap_events.settings import MovieSettings, PretrainSettings


def same(one, other) -> bool:
    a, b = (load_file(folder / "model.safetensors") for folder in (one, other))
    return set(a) == set(b) and all(torch.equal(a[name], b[name]) for name in a)


def test_an_encoder_folder_holds_all_that_it_should(encoder, marked):
    assert {path.name for path in encoder.iterdir()} == {
        "model.safetensors", "card.json", "history.csv", "result.json", "started.json"
    }  # fmt: skip
    model, card = load_encoder(encoder, 1)
    assert model.arrow is not None
    assert card.movies[0].frames == "0:19"
    assert card.details["val_frames"] == ["19:24"]
    history = pd.read_csv(encoder / "history.csv")
    assert history["step"].tolist() == [3, 6, 8]
    assert {"loss", "val_accuracy_motion", "val_accuracy_uniform"} <= set(history.columns)
    result = json.loads((encoder / "result.json").read_text())
    assert result["inputs"]["movie"]["path"].endswith("movie.tif")
    assert result["files"] == {"encoder": ".", "pretrain_history": "history.csv"}


@pytest.mark.parametrize("keep", ["last", "best"])
@pytest.mark.parametrize("stop_at", [1, 5, 7])
def test_a_stopped_and_resumed_run_makes_the_very_same_encoder(marked, tap, finish, tmp_path, monkeypatch, keep, stop_at):
    tap = tap.model_copy(update={"keep": keep})
    whole = finish(pretrain([marked.movie], tap, Run(tmp_path / "whole")))
    from napari_tap_events.pretext.time_arrow import TimeArrow

    run, plain = Run(tmp_path / "parts"), TimeArrow.loss

    def loss(self, step):
        run.control.stopping = step + 1 >= stop_at
        return plain(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(TimeArrow, "loss", loss)
        with pytest.raises(JobStopped, match=f"stopped after {stop_at} of 8 steps; the same command with --resume goes on"):
            finish(pretrain([marked.movie], tap, run))
    assert not (run.out / "result.json").exists()
    resumed = finish(pretrain([marked.movie], tap, Run(run.out, resume=True)))
    assert same(whole, resumed)
    assert not (run.out / "checkpoint.pt").exists()


@pytest.mark.parametrize("pretext", ["order", "time_arrow:1,order:0.5"])
def test_a_game_whose_head_is_thrown_away_is_stopped_and_resumed_too(marked, tap, finish, tmp_path, monkeypatch, pretext):
    tap = tap.model_copy(update={"pretext": pretext, "game_settings": ("order.gaps=1",)})
    whole = finish(pretrain([marked.movie], tap, Run(tmp_path / "whole")))
    from napari_tap_events.pretext.play import Play

    run, plain = Run(tmp_path / "parts"), Play.loss

    def loss(self, step):
        run.control.stopping = step + 1 >= 5
        return plain(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(Play, "loss", loss)
        with pytest.raises(JobStopped):
            finish(pretrain([marked.movie], tap, run))
    assert same(whole, finish(pretrain([marked.movie], tap, Run(run.out, resume=True))))
    model, card = load_encoder(whole)
    assert (model.arrow is not None) == ("time_arrow" in pretext)
    assert not any("heads" in name for name in load_file(whole / "model.safetensors"))
    assert card.metrics["order_chance"] == pytest.approx(1 / 12)
    assert "val_order_accuracy_motion" in card.metrics


def test_resuming_a_finished_run_changes_nothing(marked, tap, finish, tmp_path):
    out = finish(pretrain([marked.movie], tap, Run(tmp_path / "out")))
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    finish(pretrain([marked.movie], tap, Run(out, resume=True)))
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before


def test_a_damaged_checkpoint_is_refused(marked, tap, finish, tmp_path):
    run = Run(tmp_path / "out")
    run.control.stopping = True
    with pytest.raises(JobStopped):
        finish(pretrain([marked.movie], tap, run))
    (run.out / "checkpoint.pt").write_bytes(b"half")
    with pytest.raises(ModelError, match=r"cannot resume from 'checkpoint\.pt'"):
        finish(pretrain([marked.movie], tap, Run(run.out, resume=True)))


def test_resuming_with_another_movie_is_refused(marked, make_marked, tap, finish, tmp_path):
    run = Run(tmp_path / "out")
    run.control.stopping = True
    with pytest.raises(JobStopped):
        finish(pretrain([marked.movie], tap, run))
    other = make_marked(tmp_path / "other", 5)
    with pytest.raises(OutputError, match="cannot resume with movies = "):
        finish(pretrain([other.movie], tap, Run(run.out, resume=True)))


def test_several_movies_and_deltas_teach_together(marked, make_marked, tap, finish, tmp_path):
    other = make_marked(tmp_path / "other", 1, frames=14)
    settings = tap.model_copy(update={"deltas": (1, 2), "steps": 3})
    out = finish(pretrain([marked.movie, other.movie], settings, Run(tmp_path / "out")))
    card = load_encoder(out)[1]
    assert [record.frames for record in card.movies] == ["0:19", "0:11"]
    assert card.details["val_frames"] == ["19:24", "11:14"]


@pytest.mark.parametrize(
    ("frames", "val_frames", "taught", "judged"),
    [("", "", "0:19", "19:24"), (":10", "", "0:8", "8:10"), ("4:", "20:", "4:20", "20:24"), ("", ":6", "6:24", "0:6"),
     ("", "8:14", "0:24", "8:14")],
)  # fmt: skip
def test_frames_that_judge_never_teach(marked, tap, finish, tmp_path, frames, val_frames, taught, judged):
    settings = tap.model_copy(update={"frames": frames, "val_frames": val_frames, "steps": 1})
    card = load_encoder(finish(pretrain([marked.movie], settings, Run(tmp_path / "out"))))[1]
    assert (card.movies[0].frames, card.details["val_frames"]) == (taught, [judged])


def test_the_parts_of_a_movie_share_no_frame(marked, tap):
    from napari_tap_events.jobs.pretrain import _parts
    from napari_tap_events.movies.opening import open_movie

    train, val = _parts(open_movie(marked.movie), tap.model_copy(update={"val_frames": "8:14"}))
    assert [list(part) for part in train] == [list(range(8)), list(range(14, 24))]
    assert not {t for part in train for t in part} & set(val)


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"patch_px": 60}, SettingsError, "patch_px = 60 is larger than the frames of .*56 x 64 px; choose --patch-px 56"),
        ({"frames": "30:"}, SettingsError, "frames = '30:' goes beyond the movie, which has the frames 0:24"),
        ({"frames": "5:6"}, SettingsError, "frames = '5:6' leaves 1 of 24 frames"),
        ({"frames": "a:b"}, SettingsError, "is no range of frames; write it as 0:60"),
        ({"pretext": "order", "val_frames": "21:24"}, SettingsError, "21 to learn from and 3 to judge by; more than 3 of each"),
        ({"pretext": "order", "game_settings": ("order.mode=guess",)}, SettingsError, "of the game 'order', the setting mode"),
        ({"deltas": (30,)}, SettingsError, "24 frames: .*more than 30 of each are needed"),
    ],
)
def test_what_cannot_be_learned_is_refused_before_anything_is_written(marked, tap, finish, tmp_path, changes, error, told):
    with pytest.raises(error, match=told):
        finish(pretrain([marked.movie], tap.model_copy(update=changes), Run(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_a_movie_of_two_channels_needs_one_chosen(tap, finish, tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (12, 2, 32, 32)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "two.tif", frames, metadata={"axes": "TCYX"}, imagej=True)
    with pytest.raises(MovieError, match=r"has 2 channels: 0, 1; say which to use, e\.g\. --channel 0"):
        finish(pretrain([tmp_path / "two.tif"], tap, Run(tmp_path / "out")))
    one = tap.model_copy(update={"steps": 1})
    made = finish(pretrain([tmp_path / "two.tif"], one, Run(tmp_path / "out", movie=MovieSettings(channel=1))))
    assert load_encoder(made, 1)[1].channels == 1


def test_a_game_of_two_channels_teaches_an_encoder_that_reads_one(tap, finish, tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (24, 2, 32, 32)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "two.tif", frames, metadata={"axes": "TCYX"}, imagej=True)
    both = tap.model_copy(update={"steps": 2, "pretext": "crosschannel:1,time_arrow:1"})
    run = Run(tmp_path / "out", movie=MovieSettings(channel=1))
    card = load_encoder(finish(pretrain([tmp_path / "two.tif"], both, run)), 1)[1]
    assert card.channels == 1
    assert {"val_crosschannel_accuracy_motion", "val_accuracy_motion"} <= set(card.metrics)


def test_a_game_of_two_channels_refuses_a_movie_of_one(marked, tap, finish, tmp_path):
    with pytest.raises(MovieError, match="not for the game 'crosschannel': it needs a movie of 2 channels; this one has 1"):
        finish(pretrain([marked.movie], tap.model_copy(update={"pretext": "crosschannel"}), Run(tmp_path / "out")))


def test_steps_follow_from_epochs_unless_given():
    assert plan_of(PretrainSettings(epochs=2, pairs_per_epoch=320, batch=32), Path()).steps == 20
    assert plan_of(PretrainSettings(steps=7), Path()).val_every == 7


def test_where_memory_runs_out_the_batch_is_taken_in_halves_and_that_is_told(marked, tap, tmp_path, monkeypatch):
    from napari_tap_events.pretext.time_arrow import TimeArrow

    plain, drawn = TimeArrow.loss, []

    def loss(self, step):
        if self.settings.batch > 4 or (self.settings.batch == 4 and step == 21):
            raise torch.OutOfMemoryError("CUDA out of memory")
        drawn.append((step, self.settings.batch))
        return plain(self, step)

    monkeypatch.setattr(TimeArrow, "loss", loss)
    reports = list(pretrain([marked.movie], tap.model_copy(update={"batch": 16}), Run(tmp_path / "e")))
    told = [report.message for report in reports if "memory ran out" in report.message]
    assert [text.partition("with ")[2] for text in told] == [
        "8 pairs at a time, 2 times a step",
        "4 pairs at a time, 4 times a step",
        "2 pairs at a time, 8 times a step",
    ]
    assert [at for at, _ in drawn] == [*range(21), *range(24, 64)], "it goes on from the checkpoint of step 3"
    assert drawn[-1] == (63, 2)
    used = json.loads((tmp_path / "e" / "result.json").read_text())["settings"]["pretrain"]
    assert (used["batch"], used["accumulate"]) == (2, 8)


def test_two_processes_pretrain_together_and_the_first_tells(marked, tmp_path):
    words = ["--patch-px", "32", "--steps", "4", "--val-every", "2", "--preset", "unet8", "--batch", "4", "--val-pairs", "8"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    program = [
        "-m",
        "napari_tap_events.cli",
        "pretrain",
        str(marked.movie),
        "--out",
        str(tmp_path / "e"),
        *words,
        "--device",
        "cpu",
    ]
    done = subprocess.run([*command, *program], check=False, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert "2 processes learn together, each 4 pairs a step" in done.stdout + done.stderr
    assert done.stdout.count("processes learn together") + done.stderr.count("processes learn together") == 1
    rows = (tmp_path / "e" / "history.csv").read_text().splitlines()
    assert len(rows) == 3
    load_encoder(tmp_path / "e", 1)


def test_a_movie_larger_than_the_room_for_it_teaches_in_blocks(marked, tap, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_tap_events.jobs.pretrain.room_for_movies", lambda *_: 12 * 64 * 64)
    reports = list(pretrain([marked.movie], tap, Run(tmp_path / "e")))
    assert "the movies are larger than the memory for them: blocks of frames take turns" in [r.message for r in reports]
    assert load_encoder(tmp_path / "e", 1)[1].movies[0].frames == "0:19"


def test_a_network_that_cannot_be_compiled_learns_as_it_is(marked, tap, tmp_path, monkeypatch):
    def refuse(self, *_, **__):
        raise RuntimeError("no C++ compiler\nand more")

    monkeypatch.setattr(torch.nn.Module, "compile", refuse)
    reports = list(pretrain([marked.movie], tap.model_copy(update={"compile": True}), Run(tmp_path / "e")))
    assert "the network stays as it is, it could not be compiled (no C++ compiler)" in [r.message for r in reports]
    list(pretrain([marked.movie], tap, Run(tmp_path / "plain")))
    one, other = (load_encoder(tmp_path / name, 1)[0].state_dict() for name in ("e", "plain"))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_where_even_the_smallest_batch_is_too_much_it_gives_up(marked, tap, tmp_path, monkeypatch):
    from napari_tap_events.pretext.time_arrow import TimeArrow

    def loss(self, step):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(TimeArrow, "loss", loss)
    with pytest.raises(torch.OutOfMemoryError):
        list(pretrain([marked.movie], tap, Run(tmp_path / "e")))
