"""How often the audit's 95 % intervals hold the truth, when whole reviews are simulated: cards, answers, heads that get better, windows.

    python benchmarks/review_audit.py --out DIR [--reviews 1000] [--scenes small,large] [--audit-from 20] [--audit-px 96] [--audit-frames 6]
    python benchmarks/review_audit.py --out DIR --few

A movie is a table of events and a table of what a model proposes; no pixels. A perfect person answers the cards that the queue asks, in
the mix of the defaults; every 20 answers the model ranks better. At the end the audit is asked for the number of events, recall and
precision. Counts, too, how many events the windows of the audit took out of teaching. Writes `coverage.md` and `coverage.json` into DIR;
a scene that was finished is kept.

With `--few` nothing is reviewed: so many events are thrown into the windows of a movie, a tenth of which is looked at, or more, and the
estimator alone is asked for their number. Writes `few.md`.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_tap_events.events.matching import match_events
from napari_tap_events.jobs.answers import answers_of
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.review.annotator import Annotator
from napari_tap_events.review.audit import Audit, audit_movie
from napari_tap_events.review.audit_design import begin_audit
from napari_tap_events.review.intervals import Tally, draw, ends, totals
from napari_tap_events.review.queue import Proposals, next_cards
from napari_tap_events.review.verdicts import answer_window, decide
from napari_tap_events.settings import EventSettings, ReviewSettings

STAGE = 20
"""Answers after which the model ranks better."""


@dataclass(frozen=True)
class Scene:
    """A sort of movie, and how much of it is reviewed.

    Attributes
    ----------
    shape : (T, Y, X)
    events : float
        Mean number of events.
    proposed : float
        Share of them that the model proposes at all.
    false : int
        Places without an event that it proposes.
    answers : int
    first, gain : float
        By how many standard deviations events score higher than the rest before any answer, and by how much more after each stage.
    """

    shape: tuple[int, int, int]
    events: float
    proposed: float
    false: int
    answers: int
    first: float
    gain: float


SCENES = {
    "small": Scene((96, 190, 211), 14, 0.9, 150, 60, 2.0, 0.4),
    "small-long": Scene((96, 190, 211), 14, 0.9, 150, 160, 2.0, 0.2),
    "middle": Scene((100, 400, 400), 80, 0.8, 500, 150, 2.0, 0.2),
    "large": Scene((120, 512, 512), 250, 0.7, 1500, 250, 2.0, 0.1),
}

DRAWN = (([162, 62, 32], [9, 9, 8]), ([34, 19, 11], [13, 12, 11]))
"""Windows of each stratum, and those looked at, as "middle" and "small-long" draw them."""
COUNTS, DRAWS = (1, 2, 5, 10, 20, 40, 80, 160, 320), 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--reviews", type=int, default=1000)
    parser.add_argument("--scenes", default=",".join(name for name in SCENES if "long" not in name))
    parser.add_argument("--audit-from", type=int, default=20)
    parser.add_argument("--audit-px", type=int, default=96)
    parser.add_argument("--audit-frames", type=int, default=6)
    parser.add_argument("--few", action="store_true", help="The estimator alone, from 1 event to 320.")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.few:
        (given.out / "few.md").write_text(few())
        return
    settings = ReviewSettings(card_px=40, audit_from=given.audit_from, audit_px=given.audit_px, audit_frames=given.audit_frames)
    rows = []
    for name in given.scenes.split(","):
        path = given.out / f"{name}-{given.audit_from}-{given.audit_px}-{given.audit_frames}.json"
        if not path.exists():
            began = time.perf_counter()
            found = [reviewed(SCENES[name], settings, seed) for seed in range(given.reviews)]
            path.write_text(json.dumps({"scene": name, "seconds": round(time.perf_counter() - began), **coverage(found)}))
        rows.append(
            json.loads(path.read_text()) | {"from": given.audit_from, "window": f"{given.audit_px} x {given.audit_frames}"}
        )
        print(rows[-1], flush=True)
    (given.out / "coverage.json").write_text(json.dumps(rows, indent=1))
    (given.out / "coverage.md").write_text(table(rows))


def reviewed(scene: Scene, settings: ReviewSettings, seed: int) -> dict[str, Any]:
    """Review one movie, and return whether each interval held the truth, and how wide it was."""
    rng, near = np.random.default_rng((seed, 11)), EventSettings()
    truth, places, latent = world(scene, rng)
    a, person = Annotations(scene.shape), Annotator(truth, near, exact=True)
    settings = settings.model_copy(update={"queue_seed": seed})
    proposals = proposed(scene, places, latent, 0)
    for number in range(scene.answers):
        if number % STAGE == 0:
            proposals = proposed(scene, places, latent, number // STAGE)
        design = begin_audit(a, proposals.candidates, settings, near, proposals.taught)
        if design is not None:
            a.do(design)
        cards = next_cards(proposals, a, settings, near, 1)
        if not cards:
            break
        if cards[0].box is not None:
            a.do(answer_window(a, cards[0], person.look_over(cards[0], number)))
        else:
            marked = [(r.event.t, r.event.y, r.event.x) for r in a.events]
            a.do(decide(a, cards[0], person.answer(cards[0], number, marked), settings, near))
    listed = proposals.candidates[proposals.candidates["probability"] >= 0.5].reset_index(drop=True)
    found = audit_movie(a, listed, near)
    return judged(found, listed, truth, near) | consumed(a, truth, near)


def world(scene: Scene, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray[Any, Any]]:
    """Return true events, the places that are proposed with whether they are events, and what is drawn of each once."""
    _, height, width = scene.shape
    count = rng.poisson(scene.events)
    truth = drawn(rng, count, scene.shape).assign(kind="division")
    seen = truth[rng.random(count) < scene.proposed].assign(event=True)
    seen["y"] += rng.normal(0, 2, len(seen))
    seen["x"] += rng.normal(0, 2, len(seen))
    false = drawn(rng, scene.false, scene.shape).assign(event=False)
    places = pd.concat([seen, false], ignore_index=True).assign(kind="event", status="proposed")
    places["y"], places["x"] = places["y"].clip(0, height - 1), places["x"].clip(0, width - 1)
    return truth, places, rng.normal(size=(2, len(places)))


def drawn(rng: np.random.Generator, count: int, shape: tuple[int, int, int]) -> pd.DataFrame:
    """Return places anywhere in a movie."""
    frames, height, width = shape
    return pd.DataFrame(
        {"t": rng.integers(0, frames - 1, count), "y": rng.uniform(0, height - 1, count), "x": rng.uniform(0, width - 1, count)}
    )


def proposed(scene: Scene, places: pd.DataFrame, latent: np.ndarray[Any, Any], stage: int) -> Proposals:
    """Return what the model says after so many stages: the same mistakes, less and less of them."""
    apart = scene.first + scene.gain * stage
    event = places["event"].to_numpy()
    score = apart * (event - 0.5) + 0.8 * latent[0] + 0.6 * latent[1] / (1 + stage)
    odds = max(event.sum(), 1) / max((~event).sum(), 1)
    p = 1 / (1 + np.exp(-(apart * score + np.log(odds))))
    return Proposals(places.assign(probability=p, held_out=p), taught=stage > 0)


def judged(found: Audit | None, listed: pd.DataFrame, truth: pd.DataFrame, near: EventSettings) -> dict[str, Any]:
    """Return, of each number, whether its interval holds the truth, and how wide it is."""
    if found is None or not np.isfinite(found.events.value):
        return {"said": False}
    hits = match_events(listed, truth, near.radius_px, near.radius_frames).tp
    true = {"events": len(truth), "recall": hits / max(len(truth), 1), "precision": hits / max(len(listed), 1)}
    row: dict[str, Any] = {"said": True, "looked": found.looked, "windows": found.windows, "true": len(truth)}
    for name, value in true.items():
        told = getattr(found, name)
        row |= {f"{name}_held": bool(told.low - 1e-9 <= value <= told.high + 1e-9), f"{name}_width": told.width}
        row |= {f"{name}_error": told.value - value}
    return row


def consumed(a: Annotations, truth: pd.DataFrame, near: EventSettings) -> dict[str, Any]:
    """Return how many events were found, and how many of them teach."""
    told = answers_of(a)
    marks = [(r.event.t, r.event.y, r.event.x) for r in a.events]
    seen = pd.DataFrame([(e.t, e.y, e.x) for audit in a.audits for e in audit.seen], columns=["t", "y", "x"])
    both = pd.concat([seen, pd.DataFrame(marks, columns=["t", "y", "x"])], ignore_index=True)
    all_found = match_events(both, truth, near.radius_px, near.radius_frames).tp if len(both) else 0
    return {
        "found": all_found,
        "teach": int(told.judged[1].sum()),
        "taken": sum(not told.masks.knows(*mark) for mark in marks),
    }


def coverage(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return shares and means over reviews."""
    said = [row for row in found if row["said"]]
    row: dict[str, Any] = {"reviews": len(found), "said": len(said)}
    for name in ("events", "recall", "precision"):
        known = [r for r in said if np.isfinite(r[f"{name}_width"])]
        row[f"{name}_held"] = round(float(np.mean([r[f"{name}_held"] for r in known])), 4)
        row[f"{name}_width"] = round(float(np.median([r[f"{name}_width"] for r in known])), 3)
        row[f"{name}_error"] = round(float(np.mean([r[f"{name}_error"] for r in known])), 3)
    for name in ("looked", "windows", "true"):
        row[name] = round(float(np.mean([r[name] for r in said])), 1)
    for name in ("found", "teach", "taken"):
        row[name] = round(float(np.mean([r[name] for r in found])), 2)
    return row


def few() -> str:
    """Return a table: of so many events, how many are seen, and how often the interval of their number holds it, or lies below or above."""
    lines = ["| windows looked at | events | seen | held | too low | too high | width |", "|---|---|---|---|---|---|---|"]
    rng = np.random.default_rng(0)
    for windows, looked in DRAWN:
        for count in COUNTS:
            t = {field.name: np.zeros((DRAWS, len(windows)), np.int64) for field in fields(Tally)}
            t["windows"][:], t["looked"][:] = windows, looked
            spread = rng.multinomial(count, np.array(windows) / sum(windows), DRAWS)
            t["missed"] = rng.binomial(spread, np.array(looked) / windows)
            tally = Tally(**t)
            low, high = ends(totals(tally, draw(tally, draws=DRAWS)))
            held, under, over = (float(np.mean(part)) for part in ((low <= count) & (count <= high), high < count, low > count))
            seen, width = t["missed"].sum(1).mean(), np.median(high - low)
            share = f"{sum(looked)} of {sum(windows)}"
            lines.append(f"| {share} | {count} | {seen:.1f} | {held:.1%} | {under:.1%} | {over:.1%} | {width:.0f} |")
    return "\n".join(lines) + "\n"


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table."""
    lines = [
        "| movie | windows looked at | events | number held, width | recall held, width | precision held, width | found, teach |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        held = [f"{row[f'{name}_held']:.1%}, {row[f'{name}_width']:.2g}" for name in ("events", "recall", "precision")]
        lines.append(
            f"| {row['scene']} | {row['looked']:.0f} of {row['windows']:.0f} | {row['true']:.0f} | {' | '.join(held)} "
            f"| {row['found']:.1f}, {row['teach']:.1f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
