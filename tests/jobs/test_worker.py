"""The resident worker: it learns from the journal, the frame on screen comes first, and nothing is lost when it is killed."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_tap_events.errors import ModelError
from napari_tap_events.jobs.answers import counting
from napari_tap_events.jobs.desk import Desk
from napari_tap_events.jobs.kept_heads import HeadShelf
from napari_tap_events.jobs.link import MOST_RESTARTS, MOST_TRIES, Link
from napari_tap_events.jobs.worker import Worker
from napari_tap_events.movies.ome_zarr import open_map
from napari_tap_events.project.folder import Project
from napari_tap_events.project.marking import stamp
from napari_tap_events.review.audit_design import begin_audit
from napari_tap_events.review.cards import card_from_json
from napari_tap_events.review.gate import Ruling, read_history
from napari_tap_events.review.proposals import read_proposals
from napari_tap_events.review.verdicts import Reply, decide
from napari_tap_events.settings import ComputeSettings, HeadSettings, ReviewSettings

REVIEW = ReviewSettings(card_px=32, stamp_px=5)


@pytest.fixture
def project(tmp_path: Path, marked) -> Iterator[Project]:
    """A project with the small movie, and answers to its first events, places without any, and nothing else."""
    made = Project.create(tmp_path / "review.tap")
    made.add_movie(marked.movie)
    yield made
    made.close()


def answered(project: Project, marked, count: int = 8) -> None:
    """Answer as somebody would who sees what is there."""
    from napari_tap_events.movies.masks import EventMasks, Scope, events_in_masks
    from napari_tap_events.review.cards import Card

    a, near = project.annotations("movie"), HeadSettings(radius_px=6.0, radius_frames=1)
    events = events_in_masks(EventMasks(marked.labels, ("division", "death"), Scope.whole(marked.labels.shape)))
    for event in events[:count]:
        for y, x, answer in ((event.y, event.x, "yes"), (56 - event.y, 64 - event.x, "no")):
            a.do(decide(a, Card("uncertain", event.t, y, x, "event", 0.5, 32.0), Reply(answer), REVIEW, near))


@pytest.fixture
def desk(project: Project, encoder: Path, quick: HeadSettings) -> Desk:
    settings = quick.model_copy(update={"encoder": str(encoder), "arrow": True, "steps": 6})
    return Desk(project.path, "", settings, REVIEW)


def said_by(desk: Desk, orders: list[dict[str, Any]], between: int = 0) -> list[dict[str, Any]]:
    """Give orders to a worker, each after `between` steps, and let it finish."""
    said: list[dict[str, Any]] = []
    worker = Worker(desk, said.append)

    def stream():
        while not any(m["what"] == "ready" for m in said):
            yield None
        for order in orders:
            yield order
            for _ in range(between):
                yield None
        while worker.busy:
            yield None

    worker.run(stream())
    return said


def test_before_any_answer_the_arrow_map_fills_the_queue(desk):
    said = said_by(desk, [{"id": 1, "order": "queue", "count": 3}])
    cards = next(m for m in said if m["what"] == "cards")
    assert cards["id"] == 1
    assert len([card_from_json(card) for card in cards["cards"]]) == 3
    assert not read_proposals(desk.folder).proposals.taught
    assert all(m["memory_mb"] > 0 for m in said)
    assert not any(m["order"] == "warm up" for m in said), "nobody needs to hear of it"


def test_orders_that_come_before_the_movie_is_open_wait_for_it(desk, project, marked):
    answered(project, marked)
    said: list[dict[str, Any]] = []
    worker = Worker(desk, said.append)

    def stream():
        yield {"id": 1, "order": "retrain"}
        yield {"id": 2, "order": "queue", "count": 2}
        while worker.busy:
            yield None

    worker.run(stream())
    assert next(i for i, m in enumerate(said) if m["what"] == "ready") < next(
        i for i, m in enumerate(said) if m["what"] == "cards"
    )
    assert next(m for m in said if m["what"] == "head")["id"] == 1


def test_a_retrain_makes_a_head_that_the_queue_and_the_overlay_follow(desk, project, marked):
    answered(project, marked)
    said = said_by(desk, [{"id": 7, "order": "retrain"}])
    head = next(m for m in said if m["what"] == "head")
    assert head["accepted"]
    assert head["answers"] == 16
    assert (project.path / head["head"] / "card.json").exists()
    told = read_proposals(desk.folder)
    assert (told.proposals.taught, told.head) == (True, head["head"])
    assert "held_out" in told.proposals.candidates
    frames = [m["t"] for m in said if m["what"] == "frame" and not m["provisional"]]
    assert sorted(frames) == list(range(23))
    assert open_map(desk.folder / "overlay.ome.zarr").array[:].max() > 0


def positions(said: list[dict[str, Any]], *kinds: str) -> list[int]:
    """Return where messages of these kinds came, the first of each."""
    told = [("sketch" if m.get("provisional") else m["what"]) for m in said]
    return [told.index(kind) for kind in kinds]


def test_the_frame_on_screen_is_shown_before_anybody_knows_what_the_head_is_worth(desk, project, marked):
    answered(project, marked)
    said = said_by(desk, [{"order": "retrain", "first": 7}])
    sketch, head, proper = positions(said, "sketch", "head", "frame")
    assert sketch < head < proper
    assert [m["t"] for m in said if m.get("provisional")] == [7]
    assert said[proper]["t"] == 7
    between = [m["stage"] for m in said[sketch:head] if m["what"] == "report"]
    assert any(stage.startswith("fold") for stage in between), "others are taught after it was shown"
    shown = open_map(desk.folder / "sketch.ome.zarr").array
    assert shown[7].max() > 0
    assert shown[6].max() == 0


def test_where_a_head_is_in_use_a_sketch_of_the_next_is_shown_before_that_is_taught(desk, project, marked):
    answered(project, marked)
    said_by(desk, [{"order": "retrain", "first": 7}])
    said = said_by(desk, [{"order": "retrain", "first": 7}])
    told = ["sketch" if m.get("provisional") else m.get("stage", m["what"]) for m in said]
    first, second = (n for n, word in enumerate(told) if word == "sketch")
    assert told.index("a sketch of the head") < first < told.index("head") < second < told.index("folds")


def test_whoever_looks_elsewhere_during_a_lesson_sees_the_new_head_there(desk, project, marked):
    answered(project, marked)
    said: list[dict[str, Any]] = []
    worker = Worker(desk, said.append)

    def stream():
        yield {"order": "retrain", "first": 7}
        while not any(m.get("provisional") for m in said):
            yield None
        yield {"order": "look", "first": 15}
        while worker.busy:
            yield None

    worker.run(stream())
    assert [m["t"] for m in said if m.get("provisional")] == [7, 15]
    assert next(m["t"] for m in said if m["what"] == "frame" and not m["provisional"]) == 15


def test_a_look_is_answered_though_there_is_nothing_to_draw(desk):
    said = said_by(desk, [{"id": 5, "order": "look", "first": 3}])
    assert next(m["what"] for m in said if m["id"] == 5) == "done"


def test_the_head_in_use_goes_on_mapping_after_one_that_was_refused(desk, project, marked, monkeypatch):
    answered(project, marked)
    said: list[dict[str, Any]] = []
    worker = Worker(desk, said.append)
    worse = Ruling(False, 0.1, 0.9, 0.1, "The new head is worse and was not taken.")

    def stream():
        yield {"order": "retrain", "first": 7}
        while sum(m["what"] == "frame" for m in said) < 5:
            yield None
        monkeypatch.setattr(desk, "_rule", lambda a, learned: worse)
        yield {"order": "retrain", "first": 7}
        while worker.busy:
            yield None

    worker.run(stream())
    heads = [m for m in said if m["what"] == "head"]
    assert [m["accepted"] for m in heads] == [True, False]
    frames = [m for m in said if m["what"] == "frame" and not m["provisional"]]
    assert sorted(m["t"] for m in frames) == list(range(23)), "each once: what was mapped by it stands"
    assert {m["head"] for m in frames} == {heads[0]["head"]}
    assert said.index(frames[-1]) > said.index(heads[1])
    assert desk.unproven is None


def test_an_order_that_fails_leaves_nothing_unmapped(desk, project, marked):
    answered(project, marked)
    said_by(desk, [{"order": "retrain"}])
    said = said_by(desk, [{"order": "back", "head": "heads/none"}])
    assert sorted(m["t"] for m in said if m["what"] == "frame") == list(range(23))


def test_the_frame_on_screen_comes_first_then_its_neighbours(desk, project, marked):
    answered(project, marked)
    said = said_by(desk, [{"order": "retrain"}])
    said = said_by(desk, [{"order": "predict", "first": 11}])
    frames = [m["t"] for m in said if m["what"] == "frame"]
    assert frames[0] == 11
    assert set(frames[1:3]) == {10, 12}
    assert len(frames) == 23


def test_a_new_order_ends_the_old_work_and_the_visible_frame_overtakes_a_lesson(desk, project, marked):
    answered(project, marked)
    said_by(desk, [{"order": "retrain"}])
    orders = [{"id": 1, "order": "retrain"}, {"id": 2, "order": "retrain"}, {"id": 3, "order": "predict", "first": 5}]
    said = said_by(desk, [*orders, {"id": 4, "order": "predict", "first": 9}], between=1)
    assert [m["id"] for m in said if m["what"] == "dropped" and m["id"]][:2] == [1, 3]
    visible = next(i for i, m in enumerate(said) if m["what"] == "frame" and m["t"] == 5)
    lesson = next(i for i, m in enumerate(said) if m["what"] == "head")
    assert visible < lesson
    assert said[lesson]["id"] == 2


def test_one_can_go_back_to_an_earlier_head(desk, project, marked):
    answered(project, marked)
    said_by(desk, [{"order": "retrain"}])
    answered(project, marked, 2)
    said_by(desk, [{"order": "retrain"}])
    first = read_history(desk.folder / "heads.json").heads[0].folder
    said = said_by(desk, [{"order": "back", "head": first}, {"order": "back", "head": "heads/none"}])
    assert read_history(desk.folder / "heads.json").in_use == first
    assert read_proposals(desk.folder).head == first
    assert "no head 'heads/none'" in next(m["message"] for m in said if m["what"] == "error")


def test_what_cannot_be_done_is_told_and_work_goes_on(desk):
    said = said_by(desk, [{"id": 1, "order": "retrain"}, {"id": 2, "order": "dance"}, {"id": 3, "order": "queue", "count": 1}])
    errors = {m["id"]: m["message"] for m in said if m["what"] == "error"}
    assert "windows with events" in errors[1]
    assert "no order 'dance'" in errors[2]
    assert any(m["what"] == "cards" for m in said)


def test_a_worker_takes_up_the_head_of_the_one_before_and_needs_no_cache(desk, project, marked):
    answered(project, marked)
    said_by(desk, [{"order": "retrain"}])
    shutil.rmtree(project.path / "features")
    again = Desk(desk.project, "", desk.settings, desk.review)
    said = said_by(again, [{"order": "predict", "first": 3}])
    assert next(m for m in said if m["what"] == "ready")["head"] == "heads/review-movie-1"
    assert next(m for m in said if m["what"] == "frame")["t"] == 3


def test_a_head_is_not_taken_up_on_the_features_of_another_encoder(desk, project, marked, tmp_path):
    answered(project, marked)
    said_by(desk, [{"order": "retrain"}])
    other = tmp_path / "other"
    shutil.copytree(desk.settings.encoder, other)
    weights = load_file(other / "model.safetensors")
    save_file({name: value * 2 for name, value in weights.items()}, other / "model.safetensors")
    changed = Desk(project.path, "", desk.settings.model_copy(update={"encoder": str(other)}), REVIEW)
    said = said_by(changed, [{"order": "back", "head": "heads/review-movie-1"}])
    assert next(m for m in said if m["what"] == "ready")["head"] == ""
    assert "made for another encoder" in next(m["message"] for m in said if m["what"] == "error")


def test_the_audit_is_told(desk, project, marked):
    answered(project, marked)
    said_by(desk, [])
    a = project.annotations("movie")
    at_once = desk.review.model_copy(update={"audit_from": 0})
    a.do(begin_audit(a, desk.told.proposals.candidates, at_once, desk.settings, taught=False))
    said = said_by(desk, [{"order": "audit"}])
    assert next(m for m in said if m["what"] == "audit")["audit"]["looked"] == 0


@pytest.fixture
def taught(desk, project, marked) -> Path:
    """A head that answers have taught, in a folder of its own, as a colleague would send it."""
    answered(project, marked)
    said_by(desk, [{"order": "retrain"}])
    folder = project.path.parent / "sent"
    shutil.copytree(project.path / "heads" / "review-movie-1", folder)
    card = json.loads((folder / "card.json").read_text())
    card["movies"][0]["content_hash"] = "of another movie"
    (folder / "card.json").write_text(json.dumps(card))
    shutil.rmtree(project.path / "review")
    return folder


def elsewhere(desk: Desk, head: Path) -> Desk:
    """Return a desk whose review begins with a head from elsewhere; its own settings would not fit it."""
    settings = desk.settings.model_copy(update={"encoder": "intensity", "arrow": None, "crop_px": 32})
    return Desk(desk.project, "", settings, desk.review.model_copy(update={"begin_with": str(head)}))


def answer_more(project: Project, table, yes: Callable[[int], bool]) -> None:
    """Answer the first sixty candidates, one card each."""
    from napari_tap_events.review.cards import Card

    a, near = project.annotations("movie"), HeadSettings(radius_px=6.0, radius_frames=1)
    for n, (t, y, x) in enumerate(table[["t", "y", "x"]].to_numpy()[:60]):
        reply = Reply("yes" if yes(n) else "no")
        a.do(decide(a, Card("uncertain", int(t), y, x, "event", 0.5, 16.0), reply, REVIEW, near))


def test_a_review_can_begin_with_a_head_from_elsewhere(desk, taught, project):
    begun = elsewhere(desk, taught)
    said = said_by(begun, [{"order": "predict", "first": 2}])
    ready, trust = (next(m for m in said if m["what"] == what) for what in ("ready", "trust"))
    assert (ready["head"], ready["elsewhere"]) == (str(taught), True)
    assert (trust["shift"], trust["needed"], trust["of_either"], trust["ranks"], trust["words"]) == (0, 30, 3, None, "")
    assert 0 < trust["answers"] < 30
    candidates = read_proposals(project.path / "review" / "movie").proposals.candidates
    assert sum(counting(project.annotations("movie"), candidates, begun.settings)) == trust["answers"], "as the window counts"
    assert next(m for m in said if m["what"] == "frame")["t"] == 2
    assert begun.settings.crop_px == desk.settings.crop_px
    assert begun.settings.encoder == str(taught / "encoder")
    record = read_history(project.path / "review" / "movie" / "heads.json").record
    assert (record.folder, record.elsewhere, record.answers) == (str(taught), True, 0)


def test_thirty_answers_put_the_probabilities_of_a_head_from_elsewhere_right(desk, taught, project):
    begun = elsewhere(desk, taught)
    said_by(begun, [])
    table, before = begun.told.proposals.candidates, begun.in_use.windows
    answer_more(project, table, lambda n: n % 3 == 0)
    said = said_by(elsewhere(desk, taught), [{"order": "correct"}])
    head, trust = (next(m for m in reversed(said) if m["what"] == what) for what in ("head", "trust"))
    assert trust["answers"] >= 30
    assert 0 <= trust["ranks"] <= 1
    assert head["head"] == trust["head"] == "heads/review-movie-2"
    assert head["words"] == f"Put right by {trust['answers']} answers."
    again = elsewhere(desk, taught)
    said = said_by(again, [{"order": "correct"}])
    assert next(m for m in said if m["what"] == "ready")["head"] == "heads/review-movie-2"
    assert not any(m["what"] == "head" for m in said)  # nothing new was answered
    assert (again.told.proposals.candidates["score"] == table["score"]).all()
    assert (again.told.proposals.candidates["probability"] != table["probability"]).any()
    assert again.in_use.windows != before
    assert again.told.answers == trust["answers"]


def test_a_lesson_takes_the_place_of_a_head_from_elsewhere_and_one_can_go_back(desk, taught, project):
    said = said_by(elsewhere(desk, taught), [{"order": "retrain"}])
    head = next(m for m in said if m["what"] == "head")
    assert (head["head"], head["accepted"], head["elsewhere"]) == ("heads/review-movie-2", True, False)
    said = said_by(elsewhere(desk, taught), [{"order": "correct"}])
    assert "was taught on this movie" in next(m["message"] for m in said if m["what"] == "error")
    begun = elsewhere(desk, taught)
    said = said_by(begun, [{"order": "back", "head": str(taught)}])
    assert next(m for m in said if m["what"] == "ready")["head"] == "heads/review-movie-2"
    assert begun.elsewhere
    assert any(m["what"] == "trust" for m in said)
    said = said_by(elsewhere(desk, taught), [])
    assert next(m for m in said if m["what"] == "ready")["head"] == str(taught)  # it stays so


def ready_head(desk: Desk, *orders: dict[str, Any]) -> str:
    return next(m for m in said_by(desk, list(orders)) if m["what"] == "ready")["head"]


def test_a_review_begun_in_two_ways_finds_the_heads_of_each_again(desk, taught, project):
    assert ready_head(elsewhere(desk, taught)) == str(taught)
    assert ready_head(desk) == ""
    assert read_history(project.path / "review" / "movie" / "heads.json").in_use == ""
    assert ready_head(desk, {"order": "retrain"}) == ""
    assert ready_head(elsewhere(desk, taught)) == str(taught)
    assert ready_head(desk) == "heads/review-movie-2"


def test_one_can_go_back_to_a_head_from_elsewhere_in_a_review_that_began_without(desk, taught, project):
    said_by(elsewhere(desk, taught), [])
    said = said_by(desk, [{"order": "retrain"}])
    assert next(m for m in said if m["what"] == "head")["head"] == "heads/review-movie-2"
    said = said_by(desk, [{"order": "back", "head": str(taught)}])
    assert next(m for m in said if m["what"] == "trust")["needed"] == 30
    assert desk.elsewhere


def test_going_back_stays_and_makes_no_head(desk, taught, project):
    begun = elsewhere(desk, taught)
    said_by(begun, [])
    answer_more(project, begun.told.proposals.candidates, lambda n: n % 3 == 0)
    said_by(elsewhere(desk, taught), [{"order": "correct"}])
    begun = elsewhere(desk, taught)
    said_by(begun, [{"order": "back", "head": str(taught)}])
    assert begun.told.head == str(taught)
    assert len(read_history(project.path / "review" / "movie" / "heads.json").heads) == 2


def test_marks_that_no_card_had_asked_about_put_nothing_right(desk, taught, project):
    begun = elsewhere(desk, taught)
    said_by(begun, [])
    before = next(m for m in said_by(elsewhere(desk, taught), []) if m["what"] == "trust")["answers"]
    a = project.annotations("movie")
    for t, y, x in begun.told.proposals.candidates[["t", "y", "x"]].to_numpy()[:40]:
        a.do(stamp(a, a.kinds[0], int(t), y, x, 3))
    said = said_by(elsewhere(desk, taught), [{"order": "correct"}])
    assert {m["answers"] for m in said if m["what"] == "trust"} == {before}


def test_a_head_of_this_movie_is_none_from_elsewhere(desk, taught, project):
    own = project.path / "heads" / "review-movie-1"
    with pytest.raises(ModelError, match="was taught on this movie"):
        said_by(elsewhere(desk, own), [])


def test_a_head_inside_the_project_is_found_again_where_the_project_has_moved(desk, taught, project, tmp_path):
    inside = project.path / "heads" / "mine"
    shutil.copytree(taught, inside)
    said_by(elsewhere(desk, inside), [])
    project.close()
    moved = tmp_path / "moved.tap"
    shutil.move(project.path, moved)
    said = said_by(elsewhere(Desk(moved, "", desk.settings, REVIEW), moved / "heads" / "mine"), [])
    assert next(m for m in said if m["what"] == "ready")["head"] == "heads/mine"
    assert len(read_history(moved / "review" / "movie" / "heads.json").heads) == 1


def test_what_is_no_head_is_told_before_the_movie_is_opened(desk, encoder, tmp_path):
    for folder, words in ((encoder, "holds an encoder; choose the folder of a head"), (tmp_path / "none", "none")):
        with pytest.raises(ModelError, match=words):
            said_by(elsewhere(desk, folder), [])


def wait_for(link: Link, wanted: Callable[[dict[str, Any]], bool], seconds: float = 120) -> dict[str, Any]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for message in link.receive():
            if wanted(message):
                return message
        assert not link.trouble
        time.sleep(0.01)
    raise AssertionError("the worker did not say what was waited for")


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
def test_a_worker_that_is_killed_at_any_moment_comes_back_and_does_what_was_ordered(desk, project, marked):
    answered(project, marked)
    entries = project.annotations("movie").now
    flags = [
        "--encoder",
        desk.settings.encoder,
        "--preset",
        "unet8",
        "--arrow",
        "--steps",
        "6",
        "--crop-px",
        "16",
        "--area-px",
        "10",
    ]
    flags += ["--tile-px", "24", "--radius-px", "6", "--radius-frames", "1", "--threads", "1", "--device", "cpu"]
    link, rng = Link(project.path, "movie", flags), random.Random(0)
    link.start()
    try:
        wait_for(link, lambda m: m["what"] == "ready")
        for _ in range(2):
            number = link.send("retrain")
            time.sleep(rng.uniform(0, 0.3))  # the moment of the kill: anywhere in the work that follows
            os.kill(link.pid, signal.SIGKILL)
            head = wait_for(link, lambda m, number=number: m["what"] == "head" and m["id"] == number)
            assert head["answers"] == 16
        assert link.restarts >= 1
        assert read_proposals(project.path / "review" / "movie").proposals.taught
        assert project.annotations("movie").now == entries
        assert link.memory_mb > 0
    finally:
        link.stop()
    assert not link.alive


def test_a_worker_that_cannot_work_says_why_and_is_given_up(project, tmp_path: Path):
    link = Link(project.path, "movie", ["--encoder", str(tmp_path / "none"), "--threads", "1"])
    link.start()
    try:
        until = time.monotonic() + 120
        while not link.trouble and time.monotonic() < until:
            link.receive()
            time.sleep(0.01)
        assert "there is no folder" in link.trouble
        assert link.restarts == 0
    finally:
        link.stop()


FAILS_AT_LESSONS = """
import json, sys
print(json.dumps({"what": "ready", "order": "open"}), flush=True)
for line in sys.stdin:
    order = json.loads(line)
    print(json.dumps({"what": "report", "order": order["order"], "id": order["id"]}), flush=True)
    if order["order"] == "retrain":
        sys.exit(1)
"""


def test_an_order_at_which_the_worker_ends_each_time_is_given_up(tmp_path: Path):
    link = Link(tmp_path, "movie", program=[sys.executable, "-c", FAILS_AT_LESSONS])
    link.start()
    try:
        number = link.send("retrain")
        told = wait_for(link, lambda m: m["what"] == "error")
        assert (told["id"], told["order"]) == (number, "retrain")
        assert f"ended {MOST_TRIES} times at this" in told["message"]
        wait_for(link, lambda m: m["what"] == "ready")
        assert link.restarts == MOST_TRIES
        assert link.alive
    finally:
        link.stop()


def test_a_worker_that_ends_before_it_does_anything_is_given_up_with_its_orders(tmp_path: Path):
    link = Link(tmp_path, "movie", program=[sys.executable, "-c", 'print(\'{"what": "ready"}\', flush=True)'])
    link.start()
    try:
        for order in ("retrain", "predict"):
            link.send(order)
        until = time.monotonic() + 60
        while not link.trouble and time.monotonic() < until:
            link.receive()
            time.sleep(0.01)
        assert "before anything was done" in link.trouble
        assert link.restarts == MOST_RESTARTS
    finally:
        link.stop()


FAILS_AT_MAPS = """
import json, sys
print(json.dumps({"what": "ready", "order": "open"}), flush=True)
for line in sys.stdin:
    order = json.loads(line)
    if order["order"] == "predict":
        print(json.dumps({"what": "error", "order": "predict", "id": order["id"], "message": "the disk is full"}), flush=True)
        sys.exit(1)
    print(json.dumps({"what": "audit", "order": "audit", "id": order["id"]}), flush=True)
"""


def test_a_worker_that_answers_questions_and_fails_at_all_else_is_given_up(tmp_path: Path):
    link = Link(tmp_path, "movie", program=[sys.executable, "-c", FAILS_AT_MAPS])
    link.start()
    try:
        until = time.monotonic() + 60
        while not link.trouble and time.monotonic() < until:
            for message in link.receive():
                if message["what"] == "ready":  # what the window asks for then
                    link.send("audit")
                    link.send("predict", first=0)
            time.sleep(0.01)
        assert "before anything was done" in link.trouble
    finally:
        link.stop()


def test_what_fails_where_it_should_not_is_told_before_the_worker_ends(desk, project, marked, monkeypatch):
    answered(project, marked)
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(HeadShelf, "keep", Mock(side_effect=full))
    said: list[dict[str, Any]] = []
    worker = Worker(desk, said.append)
    with pytest.raises(OSError, match="No space left"):
        worker.run(iter([*[None] * 50, {"order": "retrain", "id": 7}, *[None] * 1000]))
    told = next(m for m in said if m["what"] == "error")
    assert (told["id"], told["order"]) == (7, "retrain")
    assert "the disk is full" in told["message"]


def test_the_worker_leaves_the_window_a_core_unless_threads_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 4)
    assert Link(tmp_path, "movie").command[-2:] == ["--threads", "3"]
    assert Link(tmp_path, "movie", ["--threads", "4"]).command[-2:] == ["--threads", "4"]


@pytest.mark.parametrize("threads", [1, 3])
def test_as_many_heads_are_taught_at_once_as_there_are_threads(desk, threads):
    before = torch.get_num_threads()
    try:
        desk.compute_settings = ComputeSettings(device="cpu", threads=threads)
        for _ in desk.open():
            pass
        assert desk.apprentice.at_once == threads
    finally:
        torch.set_num_threads(before)
