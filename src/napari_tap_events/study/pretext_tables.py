"""Tables of the study `pretexts`: games by rank, every movie and number of labels, what the probes say; and its answer in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from napari_tap_events.study.study_tables import known, mean_sd
from napari_tap_events.study.tables import NOT_KNOWN, Table, number

REFERENCE = "time_arrow"
Row = Mapping[str, Any]


def tables(ranks: pd.DataFrame, summary: pd.DataFrame, rows: pd.DataFrame) -> list[Table]:
    """Return the tables that answer which game teaches the best features."""
    probes = _probes(rows)
    return [_ranks(ranks), _cells(ranks, summary), _learning(ranks), *([probes] if probes else [])]


def answer(ranks: pd.DataFrame) -> str:
    """Say which game came first, and whether anything is beyond the time arrow by more than luck."""
    told = [row for row in _records(ranks) if known(row.get("rank"))]
    if not told:
        return "No movie and number of labels has a result of every game; see what failed."
    first = told[0]
    best = f"Best mean rank: {first['game']}, {_with_ends(first, 'rank', 1)}, of {len(told)} games."
    if first["seeds"] < 2:
        best += " One seed has no spread: nobody knows how much of this is luck of the start."
    if not any(row["game"] == REFERENCE for row in told):
        return best
    above, below = (
        [str(row["game"]) for row in told if known(row.get(end)) and beyond(row) == side]
        for side, end in ((1, "against_low"), (-1, "against_high"))
    )
    parts = [
        f"{word} {REFERENCE} beyond noise: {', '.join(names) or 'none'}" for word, names in (("above", above), ("below", below))
    ]
    return f"{best} {parts[0][:1].upper()}{parts[0][1:]}; {parts[1]}."


def beyond(row: Row) -> int:
    """Return 1 or -1 where a game is above or below the time arrow by more than the interval, and than the spread over seeds; else 0."""
    low, high, against = row.get("against_low"), row.get("against_high"), row.get("against")
    if not (known(low) and known(high) and known(against)):
        return 0
    spread = row.get("against_sd")
    if known(spread) and abs(float(str(against))) <= float(str(spread)):
        return 0
    return 1 if float(str(low)) > 0 else -1 if float(str(high)) < 0 else 0


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _with_ends(row: Row, name: str, digits: int = 2, sign: bool = False) -> str:
    if not known(row.get(name)):
        return NOT_KNOWN
    plus = "+" if sign and row[name] >= 0 else ""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    ends = f" ({number(low, digits)} to {number(high, digits)})" if known(low) and known(high) else ""
    return f"{plus}{number(row[name], digits)}{ends}"


def _ranks(ranks: pd.DataFrame) -> Table:
    body = tuple(
        (
            str(row["game"]),
            _with_ends(row, "rank", 1),
            _with_ends(row, "average_precision"),
            _with_ends(row, "against", sign=True),
            _verdict(row),
        )
        for row in _records(ranks)
    )
    head = ("features", "mean rank", "average precision", f"against {REFERENCE}", "beyond noise")
    caption = "Games by mean rank over movies and labels (1 is best); in brackets 95 % intervals, blocks of time and seeds drawn again"
    return Table(caption, head, body)


def _verdict(row: Row) -> str:
    if not known(row.get("against")):
        return NOT_KNOWN
    word = {1: "above", -1: "below", 0: "no"}[beyond(row)]
    return word if known(row.get("against_sd")) or word == "no" else f"{word}, by one seed"


def _learning(ranks: pd.DataFrame) -> Table:
    """Return how the learning itself went, and what it took."""
    body = tuple(
        (
            str(row["game"]),
            _won(row),
            f"{number(row.get('feature_spread'))}, {number(row.get('feature_rank'), 1)}"
            if known(row.get("feature_rank"))
            else NOT_KNOWN,
            number(row.get("warned"), 1),
            number(row.get("pretrain_cpu_s"), 0),
        )
        for row in _records(ranks)
        if known(row.get("rank"))
    )
    head = ("game", "accuracy / chance", "spread, rank of features", "warnings of probes", "CPU s to pretrain")
    return Table("How the learning went: means over movies and seeds, of the first game of a combination", head, body)


def _won(row: Row) -> str:
    if not known(row.get("game_accuracy")):
        return NOT_KNOWN
    return f"{number(row['game_accuracy'])} / {number(row['game_chance'])}"


def _cells(ranks: pd.DataFrame, summary: pd.DataFrame) -> Table:
    """Return average precision of every game on every movie with every number of labels."""
    cells = list(dict.fromkeys(zip(summary["movie"], summary["labels"].astype(str), strict=True)))
    found = {(row["game"], row["movie"], str(row["labels"])): row for row in _records(summary)}
    body = []
    for game in ranks["game"]:
        told = [found.get((game, *cell)) for cell in cells]
        body.append((str(game), *(NOT_KNOWN if row is None else mean_sd(row, "average_precision") for row in told)))
    head = ("features", *(f"{movie}, {labels} labelled" for movie, labels in cells))
    return Table("Average precision of events, out of fold: mean ± sd over seeds", head, tuple(body))


def _probes(rows: pd.DataFrame) -> Table | None:
    if "warnings" not in rows:
        return None
    spoken = rows[rows["warnings"].fillna("") != ""].drop_duplicates(["movie", "game", "seed"])
    body = tuple((str(row["game"]), str(row["movie"]), str(row["seed"]), str(row["warnings"])) for row in _records(spoken))
    caption = "Cells, or the microscope? What the probes say of the games; a warning is a question, not a verdict"
    return Table(caption, ("game", "movie", "seed", "warning"), body) if body else None
