"""The page of a study: what was asked, the answer in tables and figures, every trial, what failed, how to read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_tap_events.errors import OutputError
from napari_tap_events.study import pretext_tables, published, study_figures, study_tables
from napari_tap_events.study.figures_over_time import errors_by_time
from napari_tap_events.study.page import Page, Section
from napari_tap_events.study.pictures import Picture
from napari_tap_events.study.result_folder import ResultFolder, read_result_folder
from napari_tap_events.study.study_words import QUESTIONS, READING, answer
from napari_tap_events.study.tables import Table, pairs_table
from napari_tap_events.study.words import Tile, plural

EVENTS = {"average_precision": "average precision of events", "f1": "F1 of events"}
CROPS = {"crop_auprc": "area under PR, crops", "crop_auroc": "area under ROC, crops"}
TEXT = {"why": str, "published": str, "warnings": str, "labels": str}
"""Columns in which nothing means nothing to say, and no missing number."""
ARROW = {"val_accuracy_motion": "accuracy where cells move", "val_accuracy_uniform": "accuracy anywhere"}


@dataclass(frozen=True)
class Study:
    """A finished study, read from its folder.

    Attributes
    ----------
    name : str
        Which question: "features", "splits", ...
    result : ResultFolder
    rows, summary : DataFrame
        Every trial; rows with their seeds joined.
    ranks : DataFrame or None
        Of the study `pretexts`, games by rank.
    """

    name: str
    result: ResultFolder
    rows: pd.DataFrame
    summary: pd.DataFrame
    ranks: pd.DataFrame | None = None

    def evaluations(self, row: str) -> list[dict[str, Any]]:
        """Return what the trials of a row measured, in full, as far as it is still there."""
        done = self.rows[(self.rows["row"] == row) & (self.rows["status"] == "done")]
        paths = [self.result.folder / "trials" / str(name) / "head" / "evaluation.json" for name in done["folder"]]
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def study_page(folder: Path) -> Page:
    """Read a study's folder and say what it shows.

    Raises
    ------
    OutputError
        When its tables are gone.
    """
    study = read_study(folder)
    card, name = study.result.card, study.name
    told = card["summary"]
    tiles = [
        Tile(str(told["rows"]), "rows"),
        Tile(str(told["seeds"]), "seeds", "of every row"),
        Tile(str(told["n_true"]), "true events", "in the movies"),
        Tile(str(told["failed"]), "failed trials", f"of {told['trials']}"),
    ]
    settings = {**card["settings"]["study"], "movie": study.result.movie_name}
    return Page(
        name=f"{study.result.movie_name}: {QUESTIONS[name]}",
        command=study.result.command,
        created=str(card.get("created", "")),
        headline=answer(name, study.summary) if study.ranks is None else pretext_tables.answer(study.ranks),
        sections=tuple(_sections(study)),
        tiles=tuple(tiles),
        warnings=tuple(str(warning) for warning in card.get("warnings") or ()),
        methods=_methods(study),
        references=(published.__doc__.strip(), published.NOTE) if _stands_beside(study) and published.__doc__ else (),
        settings=(pairs_table("Settings: study", settings), pairs_table("Versions", card["versions"])),
    )


def _methods(study: Study) -> str:
    """Say how it was done, for a text of one's own."""
    given, told = study.result.card["settings"]["study"], study.result.card["summary"]
    first = given["seed"]
    seeds = f"seeds {first} to {first + given['seeds'] - 1}" if given["seeds"] > 1 else f"seed {first}"
    own = f"encoders ({given['preset']}) pretrained here for {given['pretrain_steps']} steps"
    encoder = f"encoder '{Path(given['encoder']).name}'" if given["encoder"] else own
    version = study.result.card["versions"].get("napari-tap-events", "")
    split = f"{given['folds']} blocks of time" if given["folds"] else "one split into 60, 20 and 20 % of the time"
    return (
        f"{plural(told['rows'], 'row')}, {seeds}, {plural(told['n_true'], 'true event')}. Unless a row says otherwise: {split} with "
        f"{given['guard_frames']} frames left out between them, windows of {given['crop_px']} px, criterion {given['criterion']}, "
        f"{given['steps']} steps per head, {encoder}; a prediction counts within {given['radius_px']:g} px and "
        f"{given['radius_frames']} frames, one to one. Software: napari-tap-events {version}, torch "
        f"{study.result.card['versions'].get('torch', '')}."
    )


def read_study(folder: Path) -> Study:
    """Read the tables of a study.

    Raises
    ------
    OutputError
        When they are gone.
    """
    result = read_result_folder(folder)
    try:
        rows, summary = (pd.read_csv(folder / f"{name}.csv", converters=TEXT) for name in ("rows", "summary"))
        ranks = pd.read_csv(folder / "ranks.csv") if result.command == "study pretexts" else None
    except (OSError, ValueError) as error:
        raise OutputError(f"the study in '{folder}' cannot be read: {error}; run it again with --resume.") from None
    name = result.command.partition(" ")[2]
    if name not in QUESTIONS:
        raise OutputError(f"'{folder}' holds a study called '{name}', which this version does not know; update.")
    return Study(name, result, rows, summary, ranks)


def _stands_beside(study: Study) -> bool:
    return bool((study.summary["published"] != "").any())


def _sections(study: Study) -> Iterator[Section]:
    tables = _tables(study)
    yield Section("answer", "The answer", READING[study.name], curves=tuple(_curves(study)), tables=tuple(tables))
    failed = study_tables.failures(study.rows)
    if failed:
        yield Section("failed", "What failed", "These trials have no numbers; --resume tries them again.", tables=(failed,))
    yield Section("trials", "Every trial", long_table=study_tables.every_trial(study.rows))


def _tables(study: Study) -> list[Table]:
    if study.ranks is None:
        return study_tables.main_tables(study.name, study.summary)
    return pretext_tables.tables(study.ranks, study.summary, study.rows)


def _curves(study: Study) -> Iterator[Picture]:
    makers: dict[str, Callable[[Study], Iterator[Picture]]] = {
        "calibration": _reliabilities,
        "errors": _errors,
        "labels": _labels,
        "content-view": lambda study: _dots(study, ARROW, 0.5),
        "pretexts": _games,
        "splits": lambda study: (picture for metrics in (EVENTS, CROPS) for picture in _dots(study, metrics)),
    }
    draw = makers.get(study.name)
    yield from draw(study) if draw else _dots(study, EVENTS)


def _dots(study: Study, metrics: Mapping[str, str], chance: float | None = None) -> Iterator[Picture]:
    shown = {name: words for name, words in metrics.items() if name in study.summary and study.summary[name].notna().any()}
    if shown:
        there = study.summary[study.summary[list(shown)].notna().any(axis=1)]
        svg = study_figures.rows_of_dots(study.rows, there, shown, chance)
        caption = "Dots: seeds; diamond and thick bar: mean ± sd; thin line: 95 % interval, blocks of time drawn again"
        yield Picture(svg, caption, f"{' and '.join(shown.values())} of {len(there)} rows; the numbers are in the table.")


def _games(study: Study) -> Iterator[Picture]:
    """Draw average precision of every game: a dot for each movie and number of labels."""
    if study.ranks is None:
        return
    dots = study.summary.assign(row=study.summary["game"])
    svg = study_figures.rows_of_dots(
        dots, study.ranks.assign(row=study.ranks["game"]), {"average_precision": EVENTS["average_precision"]}
    )
    caption = "Dots: movies and numbers of labels; diamond: their mean; thin line: its 95 % interval, blocks of time and seeds drawn again"
    yield Picture(svg, caption, f"Average precision of {len(study.ranks)} kinds of features; the numbers are in the table.")


def _labels(study: Study) -> Iterator[Picture]:
    all_of_them = float(study.result.card["summary"]["n_true"])
    curves: dict[str, list[tuple[float, float, float]]] = {}
    for row in study.summary.to_dict("records"):
        name, _, budget = str(row["row"]).removesuffix(" labelled").rpartition(", ")
        events = all_of_them if budget == "all" else float(budget)
        if np.isfinite(row.get("average_precision", np.nan)):
            curves.setdefault(name, []).append((events, row["average_precision"], row["average_precision_sd"]))
    if curves:
        svg = study_figures.scores_by_labels(curves, EVENTS["average_precision"])
        yield Picture(svg, "Average precision (needs no threshold); bands: ± sd over seeds", "Score against labelled events.")


def _errors(study: Study) -> Iterator[Picture]:
    for row in study.summary["row"]:
        found = [values["by_time"] for values in study.evaluations(str(row))]
        if found:
            t = found[0]["t"]
            same = [one for one in found if one["t"] == t]
            mean = {name: np.mean([one[name] for one in same], axis=0).tolist() for name in found[0] if name != "t"}
            alt = f"Windows with an event over time, and errors among them, for {row}."
            yield Picture(errors_by_time({"t": t, **mean}), f"{row}: errors by time, mean over seeds", alt)


def _reliabilities(study: Study) -> Iterator[Picture]:
    for row in study.summary["row"]:
        found = [values["calibration_methods"] for values in study.evaluations(str(row))]
        if found:
            pooled = {method: _pooled([one[method] for one in found]) for method in study_tables.METHODS}
            alt = f"Observed frequency against probability for each calibration of {row}."
            yield Picture(study_figures.reliability_of(pooled), f"{row}: seeds pooled; bars: one standard error", alt)


def _pooled(summaries: list[dict[str, Any]]) -> dict[str, Any]:
    """Pool the bins of several seeds; ECE is their mean."""
    counts = np.array([one["counts"] for one in summaries], dtype=np.float64)
    pooled: dict[str, Any] = {"edges": summaries[0]["edges"], "ece": float(np.mean([one["ece"] for one in summaries]))}
    total = counts.sum(0)
    for name in ("mean_probability", "observed"):
        values = np.array([[0.0 if v is None else v for v in one[name]] for one in summaries])
        sums = (counts * values).sum(0)
        pooled[name] = [float(s / n) if n else None for s, n in zip(sums, total, strict=True)]
    return pooled | {"counts": total.tolist()}
