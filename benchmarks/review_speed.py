"""How long a review waits for its worker: a lesson from so many crop pairs, and from an answer to the new map of the frame on screen.

    python benchmarks/review_speed.py [--side 512] [--frames 40] [--pairs 2000] [--lessons 20] [--encoder shipped] [--threads 2] [--out F]

A synthetic movie of SIDE x SIDE px, its features in the cache. A perfect person has answered cards until PAIRS windows of the crop are
known (an answer knows those in its square). Then, again and again, one more answer, and the order to learn, which the worker carries
out: "provisional" is the map of the frame on screen by the head that nobody has proven yet, "lesson" the end of the lesson, "map" the
map proper of that frame, if the head is taken. "cpu" is processor time, of all threads. "map from cache" is the map of a frame alone, by
the head that is there. What a first lesson alone must load is loaded before, as the worker does while it waits for answers.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

from napari_tap_events.events.criteria import label_pairs
from napari_tap_events.events.table import read_events
from napari_tap_events.jobs.answers import answers_of
from napari_tap_events.jobs.desk import Desk
from napari_tap_events.jobs.review_maps import OVERLAY
from napari_tap_events.jobs.worker import Worker
from napari_tap_events.movies.synthetic import SyntheticSettings, synthesise, write_synthetic
from napari_tap_events.project.folder import Project
from napari_tap_events.review.annotator import Annotator
from napari_tap_events.review.queue import next_cards
from napari_tap_events.review.verdicts import decide
from napari_tap_events.settings import ComputeSettings, HeadSettings, ReviewSettings

TARGETS = {"lesson_s": 15, "answer_to_provisional_p95_s": 3}
REVIEW = ReviewSettings(card_px=40, audit=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--lessons", type=int, default=20)
    parser.add_argument("--encoder", default="shipped")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=None, help="JSON file to write.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        row = measure(Path(folder), given)
    print(json.dumps(row, indent=1))
    if given.out is not None:
        given.out.write_text(json.dumps(row, indent=1))


def measure(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Return the times in seconds."""
    cells = round(28 * (given.side / 256) ** 2)
    made = synthesise(SyntheticSettings(frames=given.frames, height=given.side, width=given.side, cells=cells))
    write_synthetic(folder / "made", made)
    project = Project.create(folder / "review.tap")
    project.add_movie(folder / "made" / "movie.tif")
    head = HeadSettings(encoder=given.encoder, crop_px=24)
    desk = Desk(project.path, "", head, REVIEW, ComputeSettings(device="cpu", threads=given.threads))
    opening = timed(desk.open())
    a, person = project.annotations("movie"), Annotator(read_events(folder / "made" / "truth.csv"), desk.settings)
    while known(desk, a) < given.pairs and all(answer(desk, a, person) for _ in range(10)):
        pass
    lessons, maps, pairs = [], [], known(desk, a)
    timed(desk.warm_up())
    for _ in range(given.lessons):
        answer(desk, a, person)
        lessons.append(lesson(desk, given.frames // 2))
        print({name: round(seconds, 2) for name, seconds in lessons[-1].items()}, flush=True)
    if desk.in_use is None:
        raise SystemExit("no head was taught: ask for one lesson at least")
    began = time.perf_counter()
    for _ in desk.drawn.draw(OVERLAY, desk.in_use, range(given.frames - 1)):
        maps.append(time.perf_counter() - began)
        began = time.perf_counter()
    project.close()
    return {
        "side_px": given.side, "threads": given.threads, "answers": len(a.verdicts), "crop_pairs": pairs,
        "features_s": round(opening, 1), "map_from_cache_s": summary(maps), "targets": TARGETS,
        **{name: summary([row[name] for row in lessons if name in row]) for name in lessons[0]}, "load": round(os.getloadavg()[1], 1),
    }  # fmt: skip


def lesson(desk: Desk, first: int) -> dict[str, float]:
    """Let the worker learn; return the seconds, on the clock and of processor time, until each message came that is waited for."""
    took: dict[str, float] = {}
    began, worked = time.perf_counter(), time.process_time()

    def hear(message: dict[str, Any]) -> None:
        frame = "provisional" if message.get("provisional") else "map"
        name = {"frame": frame, "head": "lesson"}.get(str(message["what"]), "")
        if name and f"{name}_s" not in took:
            took[f"{name}_s"] = time.perf_counter() - began
            took[f"{name}_cpu_s"] = time.process_time() - worked

    worker = Worker(desk, hear)
    worker.ready = True
    worker.take({"order": "retrain", "first": first})
    while "map_s" not in took and worker.busy:
        worker.step()
    return took


def known(desk: Desk, a: Any) -> int:
    """Return of how many windows it is known whether they hold an event."""
    return int((label_pairs(answers_of(a).masks, desk.apprentice.grid, desk.settings) >= 0).sum())


def answer(desk: Desk, a: Any, person: Annotator) -> bool:
    """Answer the next card; say whether there was one."""
    cards = next_cards(desk.told.proposals, a, REVIEW, desk.settings, 1)
    if cards:
        marked = [(r.event.t, r.event.y, r.event.x) for r in a.events]
        a.do(decide(a, cards[0], person.answer(cards[0], len(a.verdicts), marked), REVIEW, desk.settings))
    return bool(cards)


def timed(steps: Generator[Any, None, Any]) -> float:
    """Run to the end; return the seconds that it took."""
    began = time.perf_counter()
    for _ in steps:
        pass
    return time.perf_counter() - began


def summary(values: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and maximum."""
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": round(p50, 2), "p95": round(p95, 2), "max": round(max(values), 2)}


if __name__ == "__main__":
    main()
