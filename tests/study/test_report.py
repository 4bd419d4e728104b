"""The report shows what a folder holds, says what it lacks, and needs nothing but itself."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from napari_tap_events.errors import OutputError
from napari_tap_events.events.over_time import events_over_time
from napari_tap_events.events.table import EventRow, events_table, read_events, write_events
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.movies.ome_zarr import create_map, open_map
from napari_tap_events.study import page, pictures
from napari_tap_events.study.methods import methods
from napari_tap_events.study.over_time import over_time_of_result, true_times
from napari_tap_events.study.report import write_report
from napari_tap_events.study.result import Result, read_result
from napari_tap_events.study.result_folder import JUDGED, SAID
from napari_tap_events.study.words import headline

Change = Callable[[Callable[[dict[str, Any]], None]], None]


class Page(HTMLParser):
    """What a reader of the page meets: sections, words, pictures without words, ids, addresses."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.wordless = 0
        self.open: list[str] = []
        self.words = ""
        self.html = path.read_text(encoding="utf-8")
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag not in ("meta", "input", "img", "br", "image", "path", "circle", "use", "rect", "link"):
            self.open.append(tag)
        if tag == "section":
            self.sections.append(str(told["id"]))
        self.ids += [str(value) for name, value in attrs if name == "id"]
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href")]
        self.wordless += tag == "img" and not told.get("alt")
        self.wordless += told.get("role") == "img" and not told.get("aria-label")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += " " + data.strip()


def test_a_full_folder_gives_a_full_page(result_folder: Path) -> None:
    page = Page(write_report(result_folder))
    assert page.sections == [
        "movie", "scores", "time", "probability", "grad-cam", "learning", "calibration", "pr", "crops", "events",
        "methods", "settings",
    ]  # fmt: skip
    assert "events found in 24 frames:" in page.words
    assert "true events" in page.words
    assert "Gallusser" in page.words
    assert "Frames 12 and 13 are the same" in page.words
    assert "leaks" not in page.words
    assert "–" in page.words
    assert "None" not in page.words
    assert "nan" not in page.words.lower().split()


def test_the_page_needs_nothing_else_and_says_every_picture(result_folder: Path) -> None:
    page = Page(write_report(result_folder))
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in page.addresses)
    assert not re.search(r"@import|<script|<link", page.html)
    assert page.wordless == 0
    assert not page.open
    assert len(page.ids) == len(set(page.ids))
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)
    assert str(result_folder) not in page.html
    assert (result_folder / "report.html").stat().st_size < 3e6


def test_names_from_outside_cannot_become_markup(result_folder: Path, change: Change) -> None:
    frame = pd.read_csv(result_folder / "events.csv").assign(kind="<script>alert(1)</script>")
    frame.to_csv(result_folder / "events.csv", index=False)
    change(lambda card: card.update(warnings=["<b>bold</b>"]))
    page = Page(write_report(result_folder))
    assert "<em>" not in page.html
    assert "<script" not in page.html
    assert "<b>bold" not in page.html


def test_the_page_is_the_same_when_written_again(result_folder: Path) -> None:
    first = write_report(result_folder).read_bytes()
    assert write_report(result_folder).read_bytes() == first


def test_a_random_split_is_marked_wherever_scores_are_shown(result_folder: Path, change: Change) -> None:
    change(lambda card: card["settings"]["head"].update(split="random"))
    page = Page(write_report(result_folder))
    marked = re.findall(r"<h2 id=\"([\w-]+)-title\">[^<]*<strong class=\"badge\">leaks", page.html)
    assert marked == ["scores", "time", "calibration", "pr", "crops", "methods"]
    assert "This split leaks" in page.words


@pytest.mark.parametrize(
    "kept", ["events", "truth", "probability", "pretrain_history", "head_history", "evaluation", "movie", ""]
)
def test_any_single_file_makes_a_page(result_folder: Path, change: Change, kept: str) -> None:
    def only(card: dict[str, Any]) -> None:
        card["files"] = {role: path for role, path in card["files"].items() if role == kept}
        card["inputs"] = {}
        card["settings"] = {}

    change(only)
    page = Page(write_report(result_folder))
    shown = {
        "events": ["events"],
        "pretrain_history": ["learning"],
        "head_history": ["learning"],
        "evaluation": ["scores", "time", "calibration", "pr", "crops"],
        "movie": ["movie"],
    }
    assert [name for name in page.sections if name not in ("methods", "settings")] == shown.get(kept, [])
    assert page.wordless == 0


def test_a_bare_card_gives_a_page(result_folder: Path) -> None:
    (result_folder / "result.json").write_text('{"schema": 1, "command": "train", "files": null, "settings": null}')
    assert "nothing to show" in Page(write_report(result_folder)).words


def test_pretraining_alone_tells_its_accuracy(result_folder: Path, change: Change) -> None:
    change(lambda card: card.update(command="pretrain", files={"pretrain_history": "pretrain.csv"}))
    result = read_result(result_folder)
    assert re.search(r"in 7\d% of unseen pairs; guessing would give 50%", headline(result))
    assert any("time arrow prediction" in sentence for sentence in methods(result)[0])


def test_a_movie_that_has_gone_is_said(result_folder: Path) -> None:
    (result_folder / "movie.tif").unlink()
    page = Page(write_report(result_folder))
    assert "is no longer where it was" in page.words
    assert not {"movie", "probability", "grad-cam"} & set(page.sections)
    assert "time" in page.sections


def test_a_movie_beside_the_folder_is_found(result_folder: Path, change: Change) -> None:
    (result_folder / "movie.tif").rename(result_folder.parent / "movie.tif")
    change(lambda card: card["files"].pop("movie"))
    assert "movie" in Page(write_report(result_folder)).sections


def test_a_movie_of_another_shape_is_not_shown(result_folder: Path, change: Change) -> None:
    change(lambda card: card["inputs"]["movie"].update(shape=[24, 1, 50, 50]))
    page = Page(write_report(result_folder))
    assert "they were (24, 1, 50, 50)" in page.words
    assert "movie" not in page.sections


def test_files_that_are_gone_or_damaged_are_said(result_folder: Path) -> None:
    shutil.rmtree(result_folder / "grad_cam.ome.zarr")
    (result_folder / "events.csv").write_text("t,y,x\n1,two,3\n")
    (result_folder / "evaluation.json").write_text("{")
    (result_folder / "pretrain.csv").write_text("step,loss\n")
    (result_folder / "insets.csv").write_text("rank,t\n1,2\n")
    page = Page(write_report(result_folder))
    for words in ("grad cam is not shown", "y is 'two'", "evaluation is not shown", "has no steps yet", "lacks y, x"):
        assert words in page.words
    assert not {"grad-cam", "events", "scores"} & set(page.sections)


def test_no_events_are_said_without_fuss(result_folder: Path) -> None:
    write_events(result_folder / "events.csv", events_table([]))
    page = Page(write_report(result_folder))
    assert "0 events found in 24 frames." in page.words
    assert "events" not in page.sections


def test_only_events_of_the_movie_shown_are_drawn_on_it(result_folder: Path) -> None:
    rows = [EventRow(3, 40, 40, "division", 0.9), EventRow(9, 50, 50, "death", 0.8)]
    write_events(result_folder / "events.csv", events_table(rows).assign(movie=["blobs <em>", "another"]))
    page = Page(write_report(result_folder))
    assert "2 events found in 2 movies: 1 division and 1 death." in page.words
    assert "death in frame 9" not in page.html
    assert "division in frame 3" in page.html


def test_a_head_trained_elsewhere_is_named(result_folder: Path, change: Change) -> None:
    change(lambda card: card["settings"].pop("head"))
    change(lambda card: card["inputs"].update(head="mitoses", head_metrics={"f1": 0.72}))
    assert "head 'mitoses' (Chen et al. 2024), which reached F1 0.72" in Page(write_report(result_folder)).words


def test_the_accuracy_is_that_of_the_model_that_was_kept(result_folder: Path, change: Change) -> None:
    change(lambda card: card.update(files={}, summary={"val_accuracy_motion": 0.83, "val_accuracy_uniform": 0.55}))
    assert "in 83% of unseen pairs" in Page(write_report(result_folder)).words


def test_rejected_events_are_not_counted(result_folder: Path, change: Change) -> None:
    rows = [EventRow(3, 40, 40, "division", 0.9), EventRow(4, 50, 50, "death", 0.8, status="rejected"), EventRow(9, 9, 9)]
    write_events(result_folder / "events.csv", events_table(rows))
    change(lambda card: card["files"].pop("evaluation"))
    change(lambda card: card["files"].pop("truth"))
    page = Page(write_report(result_folder))
    assert "2 events found in 24 frames: 1 division and 1 event." in page.words
    assert "not held against true events" in page.words


def test_what_a_person_judged_takes_the_place_of_what_was_found(result_folder: Path) -> None:
    rows = [EventRow(3, 40, 40, "division", 0.9, status="confirmed"), EventRow(9, 9, 9, "death", status="added")]
    write_events(result_folder / JUDGED, events_table(rows))
    page = Page(write_report(result_folder))
    assert "1 confirmed, 1 added" in page.words
    assert "1 division and 1 death" in page.words
    (result_folder / JUDGED).write_text("nothing of the kind")
    assert "What a person has judged is not shown" in Page(write_report(result_folder)).words


def test_what_a_person_said_is_told_with_the_count_and_its_interval(result_folder: Path) -> None:
    audit = {"looked": 30, "windows": 512, "events": [41.2, 37.6, 46.4], "recall": [0.9, 0.8, 0.97], "precision": [None] * 3}
    said = {"marks": {"division": 12, "death": 1}, "answers": {"yes": 9, "no": 4}, "audit": audit}
    (result_folder / SAID).write_text(json.dumps(said))
    words = Page(write_report(result_folder)).words
    for told in (
        "12 divisions and 1 death",
        "9 yes, 4 no",
        "looked at of 512",
        "≈ 41",
        "95%: 38 to 46",
        "0.90",
        "95 %: 0.80 to 0.97",
    ):
        assert told in words
    (result_folder / SAID).write_text(json.dumps({"marks": {"death": 2}, "answers": {}, "audit": None}))
    words = Page(write_report(result_folder)).words
    assert "2 deaths, those that answers set included" in words
    assert "Random windows" not in words
    (result_folder / SAID).write_text("nothing of the kind")
    assert "What a person said" not in Page(write_report(result_folder)).words


def test_where_only_recall_is_known_only_recall_is_told(result_folder: Path) -> None:
    path = result_folder / "evaluation.json"
    told = json.loads(path.read_text())
    for part in (told["score"], *told["score"]["kinds"], *told["score"]["tolerance_curve"]):
        part.update(precision=None, f1=None)
    told["score"].update(average_precision=None, false_rate=None, recall_only=True)
    path.write_text(json.dumps(told))
    page = Page(write_report(result_folder))
    assert "Only recall is told" in page.words
    assert "Recall under other tolerances" in page.words
    assert "annotation is not complete" in page.words


def test_the_arrow_map_stands_in_where_there_is_no_probability(result_folder: Path, change: Change) -> None:
    def swap(card: dict[str, Any]) -> None:
        card["files"]["arrow"] = card["files"].pop("probability")
        card["files"].pop("insets")

    change(swap)
    page = Page(write_report(result_folder))
    assert {"arrow", "grad-cam"} <= set(page.sections)


@pytest.mark.parametrize(
    ("card", "sentence"),
    [(None, "holds no result"), ("{", "cannot be read"), ("[]", "schema None"), ('{"schema": 9}', "schema 9")],
)
def test_a_folder_without_a_readable_card_is_refused(tmp_path: Path, card: str | None, sentence: str) -> None:
    if card is not None:
        (tmp_path / "result.json").write_text(card)
    with pytest.raises(OutputError, match=sentence):
        write_report(tmp_path)


def test_missing_extras_are_named(result_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "find_spec", lambda name: None if name == "jinja2" else object())
    with pytest.raises(OutputError, match=re.escape("pip install napari-tap-events[report]")):
        write_report(result_folder)


def test_a_map_lies_where_its_values_were_computed(tmp_path: Path) -> None:
    array = create_map(tmp_path / "map", (3, 5, 5), name="p", stride_px=4, offset_px=10.0, frame_offset=2)
    array[1, 0, 1] = 1.0
    stored, window = open_map(tmp_path / "map"), pictures.Window(0, 0, 40, 40)
    layer = pictures.map_layer(stored, 3, window, "probability")
    place = {name: float(value) for name, value in re.findall(r' (x|y|width|height)="([\d.]+)"', layer)}
    # the first value is centred on pixel 10, whose centre lies at 10.5 in the picture, and is 4 px wide
    assert place == {"x": 8.5, "y": 8.5, "width": 20, "height": 20}
    assert pictures.map_layer(stored, 1, window, "probability") == ""
    assert pictures.map_layer(stored, 5, window, "probability") == ""
    assert pictures.map_layer(stored, 3, pictures.Window(100, 100, 8, 8), "probability") == ""


def test_an_arrow_of_no_direction_is_clear(tmp_path: Path) -> None:
    array = create_map(tmp_path / "map", (1, 2, 2), name="arrow")
    window = pictures.Window(0, 0, 2, 2)
    array[0] = np.array([[0.0, -3.0], [0.0, -9.0]])
    none = pictures.map_layer(open_map(tmp_path / "map"), 0, window, "arrow")
    array[0] = 0
    assert pictures.map_layer(open_map(tmp_path / "map"), 0, window, "arrow") == none
    array[0] = 4.0
    assert pictures.map_layer(open_map(tmp_path / "map"), 0, window, "arrow") != none


def test_an_inset_at_the_border_keeps_its_size(tmp_path: Path) -> None:
    movie = movie_from_array(np.random.default_rng(0).integers(0, 255, (4, 30, 30)).astype(np.uint8))
    create_map(tmp_path / "map", (3, 30, 30), name="p")
    for place in ((0, 0.0, 0.0), (3, 29.0, 29.0), (2, 200.0, -50.0)):
        drawn = pictures.pair_pictures(movie, place, 16, open_map(tmp_path / "map"), "grad_cam")
        assert [picture.svg.count("<image") >= 1 for picture in drawn] == [True] * 3


def test_large_frames_are_made_small() -> None:
    shrunk = pictures.shrink(np.arange(1000 * 700, dtype=np.float32).reshape(1000, 700), 420)
    assert shrunk.shape == (333, 233)
    assert shrunk[0, 0] == pytest.approx(np.mean([0, 1, 2, 700, 701, 702, 1400, 1401, 1402]))


def test_frames_with_most_events_tell_their_stretch_of_time() -> None:
    events = events_table([EventRow(t, 0, 0, probability=p) for t, p in ((2, 0.5), (2, 0.6), (3, 0.9), (17, 0.2))])
    assert pictures.telling_frames(events, 20, 2) == [2, 17]
    assert pictures.telling_frames(None, 20, 2) == [5, 15]
    assert pictures.telling_frames(None, 2, 6) == [0, 1]
    assert pictures.strongest_frames(events, 2) == [2, 3]


def test_events_over_time_say_what_the_line_and_the_band_are(result_folder: Path, change: Change) -> None:
    events = read_events(result_folder / "events.csv")
    assert "expected number of events" in Page(write_report(result_folder)).words
    write_events(result_folder / "events.csv", events.assign(source="arrow"))
    assert "rates that would give such a count" in Page(write_report(result_folder)).words


def test_candidates_below_the_threshold_are_part_of_what_is_expected(result_folder: Path, change: Change) -> None:
    write_events(result_folder / "events.csv", events_table([EventRow(3, 4, 4, "division", 0.9, "head")]))
    rows = [EventRow(3, 4, 4, "division", 0.9, "head"), EventRow(9, 4, 4, "death", 0.3, "head")]
    write_events(result_folder / "candidates.csv", events_table(rows))
    change(lambda card: card["files"].update(candidates="candidates.csv"))
    result = read_result(result_folder)
    assert result.events is not None
    told = over_time_of_result(result, result.events, result.candidates)
    assert {kind.kind: (int(kind.counted.sum()), float(kind.mean.max())) for kind in told.kinds} == {
        "death": (0, pytest.approx(0.1)),
        "division": (1, pytest.approx(0.3)),
    }
    assert "time" in Page(write_report(result_folder)).sections


def test_only_the_frames_that_were_searched_are_told(result_folder: Path, change: Change) -> None:
    change(lambda card: card["settings"]["detect"].update(frames="6:18"))
    result = read_result(result_folder)
    assert result.searched == range(6, 18)
    assert result.events is not None
    (kind, *_) = over_time_of_result(result, result.events, None).kinds
    assert np.isnan(kind.mean[:4]).all()
    assert np.isfinite(kind.mean[8:16]).all()


def test_true_events_of_all_kinds_belong_to_merged_ones() -> None:
    truth = events_table([EventRow(1, 0, 0, "death"), EventRow(2, 0, 0, "division"), EventRow(3, 0, 0, "uncertain")])
    for kind, times in (("event", {"event": [1, 2]}), ("death", {"death": [1]}), ("fusion", {})):
        told = events_over_time(events_table([EventRow(0, 0, 0, kind)]), 10)
        assert true_times(truth, told) == times


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"encoder": "e"}, "On the frozen features an event head"),
        (
            {"encoder": "e", "features": True, "arrow": True, "intensity": True},
            "On the frozen features, the arrow map and the norm",
        ),
        ({"encoder": "shipped", "features": False, "intensity": True}, "On the normalised image an event head"),
        ({"encoder": "difference", "features": True}, "On the difference of the two frames an event head"),
    ],
)
def test_the_methods_say_what_the_head_reads(given, said):
    sentences, _ = methods(Result(Path(), {"settings": {"train": {"head": "evidence", **given}}}, {}))
    assert any(said in sentence for sentence in sentences)


def test_the_methods_say_against_what_the_head_was_weighed():
    sentences, references = methods(
        Result(Path(), {"settings": {"train": {"head": "evidence", "simulated": True, "intensity": True}}}, {})
    )
    assert any("weighed against the evidence of a pair head" in sentence for sentence in sentences)
    assert any("Stacked generalization" in reference for reference in references)


def test_the_methods_name_other_games_with_where_they_are_from():
    from napari_tap_events.study.methods import _about_encoder
    from napari_tap_events.study.report import _game

    given = {"settings": {"pretrain": {"pretext": "order:1,theirs:0.5", "patch_px": 32, "preset": "unet8", "seed": 3}}}
    sentences, cited = _about_encoder(Result(Path(), given, {}))
    assert len(sentences) == 2
    assert "by the game 'order', on crops of 32 × 32 pixels (seed 3): Misra et al. 2016" in sentences[0]
    assert sentences[1].endswith("(seed 3).")
    assert cited == []
    assert _game(Result(Path(), given, {})) == ("The game order and the game theirs (no labels)", None)
