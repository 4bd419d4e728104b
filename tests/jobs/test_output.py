"""Output folders: nothing of anybody's is lost, and a run goes on only as it was started."""

from __future__ import annotations

import json

import pytest

from napari_tap_events.errors import OutputError
from napari_tap_events.jobs.output import Run, finish, finished, read_json, start, write_history, write_json
from napari_tap_events.settings import DetectSettings, MovieSettings


def begin(out, settings=DetectSettings(), movie="movie.tif", **how):  # noqa: B008
    run = Run(out, **how)
    start(run, "detect", settings, {"movie": [out.parent / movie]})
    return run


def test_an_empty_or_missing_folder_is_used(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new/deep"):
        begin(tmp_path / name)
        assert read_json(tmp_path / name / "started.json")["command"] == "detect"


@pytest.mark.parametrize("how", [{}, {"overwrite": True}, {"resume": True}])
def test_a_folder_that_is_not_ours_is_never_touched(tmp_path, how):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("years of work")
    with pytest.raises(OutputError, match="not made by this software; choose another --out"):
        begin(out, **how)
    assert [path.name for path in out.iterdir()] == ["chapter.txt"]


def test_results_are_not_overwritten_by_chance(tmp_path):
    begin(tmp_path / "out")
    with pytest.raises(OutputError, match="already holds a 'detect' that has not ended; add --overwrite to replace it, or"):
        begin(tmp_path / "out")


def test_only_what_can_go_on_is_advised_to(tmp_path):
    start(Run(tmp_path / "out"), "train", DetectSettings(), {})
    with pytest.raises(OutputError, match="replace it, --resume to go on, or change"):
        start(Run(tmp_path / "out"), "train", DetectSettings(), {})


def test_overwriting_clears_what_was_there(tmp_path):
    run = begin(tmp_path / "out")
    (run.out / "events.csv").write_text("old")
    begin(run.out, overwrite=True)
    assert [path.name for path in run.out.iterdir()] == ["started.json"]


def test_overwriting_never_clears_what_is_to_be_read(tmp_path):
    run = begin(tmp_path / "out")
    (run.out / "movie.tif").write_text("pixels")
    with pytest.raises(OutputError, match="which is to be read: it is not cleared"):
        begin(run.out, overwrite=True, movie="out/movie.tif")
    with pytest.raises(OutputError, match="which is to be read"):
        begin(run.out, overwrite=True, movie="out")
    assert (run.out / "movie.tif").exists()


def test_going_on_keeps_what_is_there(tmp_path):
    run = begin(tmp_path / "out")
    (run.out / "checkpoint.pt").write_text("half way")
    begin(run.out, resume=True)
    assert (run.out / "checkpoint.pt").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"settings": DetectSettings(stride_px=8)}, "cannot resume with stride_px = 8: it was 4; keep it, or add --overwrite"),
        ({"movie": "other.tif"}, "cannot resume with movie = .*other.*it was .*movie"),
    ],
)
def test_going_on_with_something_changed_names_it(tmp_path, changes, told):
    begin(tmp_path / "out")
    with pytest.raises(OutputError, match=told):
        begin(tmp_path / "out", resume=True, **changes)


def test_going_on_with_other_marks_is_refused_and_a_changed_setting_is_named_first(tmp_path):
    def again(marks, settings=DetectSettings(), **how):  # noqa: B008
        start(Run(tmp_path / "out", **how), "train", settings, {}, marks)

    again("a1")
    again("a1", resume=True)
    with pytest.raises(
        OutputError, match=r"the marks have changed since the run in .*out' began, .*; start again with --overw"
    ):
        again("b2", resume=True)
    with pytest.raises(OutputError, match="cannot resume with stride_px = 8"):
        again("b2", DetectSettings(stride_px=8), resume=True)
    again("b2", overwrite=True)
    again("b2", resume=True)


def test_going_on_with_another_channel_names_it(tmp_path):
    begin(tmp_path / "out")
    run = Run(tmp_path / "out", resume=True, movie=MovieSettings(channel=1))
    with pytest.raises(OutputError, match="cannot resume with channel = 1: it was None"):
        start(run, "detect", DetectSettings(), {"movie": [tmp_path / "movie.tif"]})


def test_going_on_where_everything_was_moved_to(tmp_path):
    begin(tmp_path / "here" / "out")
    (tmp_path / "here").rename(tmp_path / "there")
    begin(tmp_path / "there" / "out", resume=True)
    with pytest.raises(OutputError, match="cannot resume with movie = "):
        begin(tmp_path / "there" / "out", movie="other.tif", resume=True)


def test_going_on_with_what_stayed_where_it_was(tmp_path):
    begin(tmp_path / "here" / "out", movie=tmp_path / "movie.tif")
    (tmp_path / "here").rename(tmp_path / "there")
    begin(tmp_path / "there" / "out", movie=tmp_path / "movie.tif", resume=True)


def test_going_on_with_another_command_says_so(tmp_path):
    begin(tmp_path / "out")
    with pytest.raises(OutputError, match="was made by 'detect', not by 'explain'"):
        start(Run(tmp_path / "out", resume=True), "explain", DetectSettings(), {})


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot write to .*choose another --out"):
        begin(tmp_path / "file" / "out")


def test_a_result_says_what_made_it(tmp_path):
    run = begin(tmp_path / "out")
    assert not finished(Run(run.out, resume=True))
    finish(run, "detect", {"detect": DetectSettings()}, {"movie": {}}, {"events": "events.csv"}, {"events": 3}, ["a note"])
    stored = json.loads((run.out / "result.json").read_text())
    assert set(stored) == {"schema", "command", "created", "versions", "settings", "inputs", "files", "summary", "warnings"}
    assert stored["settings"]["detect"]["stride_px"] == 4
    assert finished(Run(run.out, resume=True))
    assert not finished(run)


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    circle: dict = {}
    circle["circle"] = circle
    with pytest.raises(ValueError, match="Circular"):
        write_json(path, circle)
    assert read_json(path) == {"a": 1}
    assert read_json(tmp_path / "none.json") is None


def test_a_history_has_a_column_for_every_name(tmp_path):
    write_history(tmp_path / "h.csv", [{"step": 1, "loss": 0.5}, {"step": 2, "val": 0.25}])
    assert (tmp_path / "h.csv").read_text() == "step,loss,val\n1,0.5,\n2,,0.25\n"
