"""Tables of a study: seeds joined, row by row, beside what is published; every trial; what failed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from napari_tap_events.study import published
from napari_tap_events.study.tables import NOT_KNOWN, Table, number

METHODS = ("none", "temperature", "platt")
HONESTY = {"ece": "ECE", "brier": "Brier score", "nll": "log loss"}
Row = Mapping[str, Any]
GAP = "\N{NO-BREAK SPACE}"


def main_tables(name: str, summary: pd.DataFrame) -> list[Table]:
    """Return the tables that answer the question of a study, fit for a page and for Markdown."""
    rows = [{str(key): value for key, value in row.items()} for row in summary.to_dict("records")]
    makers = {
        "content-view": (_accuracy,),
        "errors": (_events, _confusion, _crops),
        "calibration": (_calibrations,),
        "criteria": (_events, _windows, _crops),
        "features": (_events, _crops),
        "splits": (_events, _crops),
    }.get(name, (_events,))
    return [table for maker in makers if (table := maker(rows)) is not None]


def mean_sd(row: Row, name: str, digits: int = 2) -> str:
    """Write the mean over seeds and its standard deviation."""
    if not known(row.get(name)):
        return NOT_KNOWN
    spread = f"{GAP}±{GAP}{number(row[f'{name}_sd'], digits)}" if known(row.get(f"{name}_sd")) else ""
    return number(row[name], digits) + spread


def known(value: Any) -> bool:
    """Say whether there is such a number."""
    return value is not None and not pd.isna(value)


def _with_ends(row: Row, name: str, digits: int = 2) -> str:
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    ends = f" ({number(low, digits)}{GAP}to{GAP}{number(high, digits)})" if known(low) and known(high) else ""
    return mean_sd(row, name, digits) + ends


def _events(rows: Sequence[Row]) -> Table | None:
    told = [row for row in rows if known(row.get("tp"))]
    if not told:
        return None
    head = ("row", "seeds", "F1", "average precision", "found / false / missed", "false rate", "timing, frames",
            "leakage", "ECE", "CPU s")  # fmt: skip
    unit = next((str(row["false_rate_unit"]) for row in told if known(row.get("false_rate_unit"))), "").replace("mm2", "mm²")
    caption = "Events: mean ± sd over seeds; in brackets the 95 % interval of the mean, blocks of time drawn again"
    caption += f"; false rate {unit}" if unit else ""
    return Table(caption, head, tuple(_event_row(row) for row in told))


def _event_row(row: Row) -> tuple[str, ...]:
    counts = " / ".join(number(row.get(part), 1) for part in ("tp", "fp", "fn"))
    return (
        str(row["row"]),
        _seeds(row),
        _with_ends(row, "f1"),
        _with_ends(row, "average_precision"),
        counts,
        number(row.get("false_rate"), 1),
        number(row.get("timing_median_frames"), 1),
        number(row.get("leakage")),
        mean_sd(row, "ece_after", 4),
        number(row.get("cpu_s"), 0),
    )


def _seeds(row: Row) -> str:
    return f"{row['seeds']}" + (f" ({row['failed']} failed)" if row["failed"] else "")


def _crops(rows: Sequence[Row]) -> Table | None:
    told = [row for row in rows if known(row.get("crop_recall"))]
    if not told:
        return None
    names = ("crop_precision_0", "crop_recall_0", "crop_precision", "crop_recall", "crop_auprc", "crop_auroc")
    beside = any(_published(row) != NOT_KNOWN for row in told)
    head: tuple[str, ...] = (
        "row",
        "precision 0",
        "recall 0",
        "precision 1",
        "recall 1",
        "PR area",
        "ROC area",
        "prevalence",
        "leakage",
    )
    head += ("published: precision 1 / recall 1",) if beside else ()
    body = tuple(
        (
            str(row["row"]),
            *(mean_sd(row, name) for name in names),
            number(row["crop_prevalence"], 3),
            number(row["leakage"]),
            *((_published(row),) if beside else ()),
        )
        for row in told
    )
    caption = "Single crops at argmax, before calibration, as published: 1 holds an event, 0 does not"
    return Table(caption, head, body)


def _published(row: Row) -> str:
    name = str(row.get("published") or "")
    if name in published.CROPS:
        return f"{name}: {published.CROPS[name][2]} / {published.CROPS[name][3]}"
    return " / ".join(published.CRITERIA[name]) if name in published.CRITERIA else NOT_KNOWN


def _windows(rows: Sequence[Row]) -> Table | None:
    columns = sorted({name for row in rows for name in row if name.startswith("windows_") and not name.endswith("_sd")})
    counts = {name: next((row[name] for row in rows if known(row.get(name))), None) for name in columns}
    body = tuple((name.removeprefix("windows_"), f"{count:,.0f}") for name, count in counts.items() if count is not None)
    return Table("Windows that each criterion makes an event", ("criterion", "windows"), body) if body else None


def _confusion(rows: Sequence[Row]) -> Table | None:
    told = [row for row in rows if known(row.get("tn_crops"))]
    names = ("tn_crops", "fp_crops", "fn_crops", "tp_crops")
    body = [(str(row["row"]), *(f"{row[name]:,.0f}" for name in names)) for row in told]
    (tn, fp), (fn, tp) = published.CONFUSION
    body.append(("published: one TAP, resnet (A1)", *(f"{count:,}" for count in (tn, fp, fn, tp))))
    head = ("row", "rightly none", "false", "missed", "rightly found")
    return Table("Confusion of crops at argmax, mean over seeds", head, tuple(body)) if told else None


def _calibrations(rows: Sequence[Row]) -> Table | None:
    head = ("row", "calibration", *HONESTY.values(), "prevalence", "seeds")
    body: list[tuple[str, ...]] = []
    for row in (row for row in rows if known(row.get("ece_none"))):
        prevalence = number(row["crop_prevalence"], 4)
        for method in METHODS:
            told = (_with_ends(row, f"{name}_{method}", 4) for name in HONESTY)
            body.append((str(row["row"]), method, *told, prevalence, _seeds(row)))
        ignorant = (number(value, 4) for value in _always_the_prevalence(float(row["crop_prevalence"])))
        body.append((str(row["row"]), "for comparison: always the prevalence", *ignorant, prevalence, NOT_KNOWN))
    caption = (
        "The same held-out answers under each calibration: mean ± sd over seeds; in brackets the 95 % interval, blocks of time drawn "
        "again (mean of the seeds' ends)"
    )
    return Table(caption, head, tuple(body)) if body else None


def _always_the_prevalence(p: float) -> tuple[float, float, float]:
    """Return ECE, Brier score and log loss of one who knows how rare events are, and nothing else: a head must beat the last two."""
    inside = min(max(p, 1e-12), 1 - 1e-12)
    return 0.0, p * (1 - p), -(p * math.log(inside) + (1 - p) * math.log(1 - inside))


def _accuracy(rows: Sequence[Row]) -> Table | None:
    head = ("row", "seeds", "accuracy where cells move", "accuracy anywhere", "published", "CPU s")
    body = tuple(
        (
            str(row["row"]),
            _seeds(row),
            mean_sd(row, "val_accuracy_motion", 3),
            mean_sd(row, "val_accuracy_uniform", 3),
            published.VIEWS.get(str(row.get("published")), NOT_KNOWN),
            number(row.get("cpu_s"), 0),
        )
        for row in rows
    )
    caption = "Time arrow, accuracy on pairs that did not teach (chance 0.5): mean ± sd over seeds"
    return Table(caption, head, body) if body else None


def every_trial(rows: pd.DataFrame) -> Table:
    """Return every trial with its main numbers."""
    names = {"f1": "F1", "average_precision": "average precision", "crop_auprc": "PR area of crops", "ece_after": "ECE"}
    names |= {"val_accuracy_motion": "accuracy where cells move", "val_accuracy_uniform": "accuracy anywhere", "cpu_s": "CPU s"}
    shown = [name for name in names if name in rows.columns and rows[name].notna().any()]
    body = tuple(
        (str(row["row"]), str(row["seed"]), str(row["status"]), *(number(row[name], 3) for name in shown))
        for row in rows.to_dict("records")
    )
    return Table(f"{len(rows)} trials", ("row", "seed", "status", *(names[name] for name in shown)), body)


def failures(rows: pd.DataFrame) -> Table | None:
    """Return what failed, and why."""
    failed = rows[rows["status"] != "done"]
    body = tuple((str(row["row"]), str(row["seed"]), str(row["why"])) for row in failed.to_dict("records"))
    return Table("Trials that failed", ("row", "seed", "why"), body) if body else None


def markdown(table: Table) -> str:
    """Write a table as Markdown."""

    def lines() -> Iterator[str]:
        yield f"**{table.caption}**"
        yield ""
        for place, cells in enumerate((table.head, *table.rows)):
            yield "| " + " | ".join(cell.replace("|", "\\|").replace(GAP, " ") for cell in cells) + " |"
            if place == 0:
                yield "|" + "---|" * len(cells)

    return "\n".join(lines()) + "\n"
