"""The recipe `review --simulate`: how many answers a review needs, found out with a simulated person, against any other order of cards."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

from napari_tap_events.errors import SettingsError
from napari_tap_events.events.table import read_events
from napari_tap_events.jobs.desk import Desk
from napari_tap_events.jobs.output import Run, describe, finish, start, write_json
from napari_tap_events.jobs.simulate import Curve, Opinion, Trial, simulate
from napari_tap_events.reports import Report
from napari_tap_events.review.annotator import Annotator
from napari_tap_events.settings import HeadSettings, ReviewSettings, ScoreSettings, SimulationSettings, frame_range

COLUMNS = ("order", "decisions", "yes", "f1", "ap", "tp", "fp", "fn", "seconds")


def simulate_review(
    project: Path, movie: str, truth: Path, settings: tuple[HeadSettings, ReviewSettings, SimulationSettings], run: Run
) -> Generator[Report, None, Path]:
    """Let a simulated person review a movie from zero labels on, or from a head that was taught elsewhere; the project is only read.

    Parameters
    ----------
    project : Path
        The project's folder.
    movie : str
        Name of the movie in it; "" for the only one.
    truth : Path
        Table of true events; uncertain ones are answered "unsure".
    settings : HeadSettings, ReviewSettings, SimulationSettings
        With `begin_with` in those of the review, crops, inputs and encoder are those of that head.
    run : Run

    Returns
    -------
    Path
        The output folder: `curve.csv`, `curve.json`, `report.html`.

    Raises
    ------
    TapEventsError
        When something is missing, does not fit, or holds out too much.
    """
    given, review, simulation = settings
    start(run, "review", simulation, {"truth": [truth]})
    with tempfile.TemporaryDirectory() as kept:
        desk = Desk(project, movie, given, review, run.compute, run.control, Path(kept))
        yield from desk.open()
        return (yield from _simulated(desk, truth, simulation, run))


def _simulated(desk: Desk, truth: Path, simulation: SimulationSettings, run: Run) -> Generator[Report, None, Path]:
    review = desk.review
    head, elsewhere = desk.settings, None
    if review.begin_with:
        elsewhere = Opinion(desk.told.proposals.candidates, desk.told.threshold, taught=True)
    shape = (desk.movie.n_frames, desk.movie.height, desk.movie.width)
    held = frame_range(simulation.held_frames, shape[0], "held_frames") if simulation.held_frames else _last_third(shape[0])
    if len(held) > shape[0] - 4:
        raise SettingsError(f"held_frames = '{simulation.held_frames}' leaves too little to ask about; hold out fewer frames.")
    person = Annotator(read_events(truth), head, simulation.error_rate, simulation.person_seed)
    curves: dict[str, Curve] = {}
    for order in dict.fromkeys((review.order, *(("random",) if simulation.compare else ()))):
        chosen = review.model_copy(update={"order": order})
        trial = Trial(desk.apprentice, person, chosen, shape, held, simulation.decisions, elsewhere)
        curves[order] = yield from simulate(trial, ScoreSettings(radius_px=head.radius_px, frames=head.radius_frames))
    files = _keep(run.out, curves, simulation)
    last = {order: curve.rows()[-1] for order, curve in curves.items()}
    about = {"movie": describe(desk.movie), "truth": str(truth), "held_frames": f"{held.start}:{held.stop}"}
    sections = {"review": review, "train": head, "simulation": simulation}
    finish(run, "review", sections, about, files, {"curve": last, "reached": _reached(curves, simulation.target_f1)})
    return run.out


def _last_third(n_frames: int) -> range:
    return range(n_frames - max(2, n_frames // 3), n_frames)


def _reached(curves: dict[str, Curve], target: float) -> dict[str, int | None]:
    """Return after how many answers each order reached the wanted F1; None where it did not."""
    return {
        order: next((point.decisions for point in curve.points if point.f1 >= target), None) for order, curve in curves.items()
    }


def _keep(out: Path, curves: dict[str, Curve], simulation: SimulationSettings) -> dict[str, str]:
    rows: list[dict[str, Any]] = [{"order": order, **row} for order, curve in curves.items() for row in curve.rows()]
    with (out / "curve.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)
    audits = {order: None if curve.audit is None else curve.audit.to_json() for order, curve in curves.items()}
    write_json(out / "curve.json", {"points": rows, "audit": audits, "reached": _reached(curves, simulation.target_f1)})
    (out / "report.html").write_text(_page(rows, simulation), encoding="utf-8")
    return {"curve": "curve.csv", "values": "curve.json", "page": "report.html"}


COLOURS = ("#0072b2", "#d55e00")
WIDTH, HEIGHT, LEFT, BOTTOM = 640, 320, 48, 40


def _page(rows: list[dict[str, Any]], simulation: SimulationSettings) -> str:
    """Return a page with the learning curve, complete in itself."""
    orders = list(dict.fromkeys(row["order"] for row in rows))
    most = max((row["decisions"] for row in rows), default=1) or 1
    lines = "".join(_line([row for row in rows if row["order"] == order], most, n) for n, order in enumerate(orders))
    marks = "".join(
        f'<text x="{LEFT - 6}" y="{_y(v) + 4:.0f}" text-anchor="end">{v:.1f}</text>'
        f'<line x1="{LEFT}" x2="{WIDTH}" y1="{_y(v):.1f}" y2="{_y(v):.1f}" stroke="#ddd"/>'
        for v in (0, 0.2, 0.4, 0.6, 0.8, 1)
    )
    body = "".join("<tr>" + "".join(f"<td>{row[name]}</td>" for name in COLUMNS) + "</tr>" for row in rows)
    heads = "".join(f"<th>{name}</th>" for name in COLUMNS)
    return (
        '<!doctype html><meta charset="utf-8"><title>Learning curve of the review</title>'
        "<style>body{font-family:sans-serif;margin:2em}td,th{padding:0 .8em;text-align:right}text{font-size:12px}</style>"
        "<h1>Learning curve of the review</h1><p>A simulated person answered the cards"
        f" (error rate {simulation.error_rate:g}); F1 on frames that were never asked about. Full line F1, dashed AP.</p>"
        f'<svg width="{WIDTH + 130}" height="{HEIGHT + BOTTOM}">{marks}{lines}'
        f'<text x="{WIDTH / 2}" y="{HEIGHT + 32}" text-anchor="middle">answers (0 to {most})</text></svg>'
        f"<table><tr>{heads}</tr>{body}</table>"
    )


def _y(value: float) -> float:
    return HEIGHT - (HEIGHT - 12) * value


def _line(rows: list[dict[str, Any]], most: int, n: int) -> str:
    colour, drawn = COLOURS[n % len(COLOURS)], ""
    for name, dash in (("f1", ""), ("ap", ' stroke-dasharray="5 4"')):
        known = [row for row in rows if row[name] is not None]
        points = " ".join(f"{LEFT + (WIDTH - LEFT) * row['decisions'] / most:.1f},{_y(row[name]):.1f}" for row in known)
        drawn += f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
    return drawn + f'<text x="{WIDTH + 8}" y="{24 + 18 * n}" fill="{colour}">{rows[0]["order"]}</text>'
