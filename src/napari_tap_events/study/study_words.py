"""What a study asks, what its rows answer in one sentence, and how to read them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from napari_tap_events.study.study_tables import known, mean_sd
from napari_tap_events.study.words import plural

QUESTIONS = {
    "features": "do pretrained features help?",
    "criteria": "which crop pairs should count as events?",
    "content-view": "how much must a crop show to tell the arrow of time?",
    "errors": "where are the errors?",
    "calibration": "which calibration is honest?",
    "labels": "how many labelled events are enough?",
    "splits": "what would a random split have promised?",
    "seeds": "how much is luck?",
    "pretexts": "which game teaches the best features?",
}
_EVENTS = (
    "Events are found out of fold, by heads that never saw their block of time, and matched one to one. The threshold of a block "
    "comes from the other blocks. Encoders pretrained here have seen all but the last frames of the movie without labels "
    "(transductive, as published)."
)
_LEAKS = " Rows marked (leaks) judge crops that share pixels with crops that taught; they are too good."
READING = {
    "features": f"{_EVENTS}{_LEAKS} Rows end to end are calibrated by the other folds' heads, which is slightly in their favour.",
    "criteria": f"{_EVENTS}{_LEAKS} What counts as an event changes what crops are judged on, so compare events, not crops.",
    "content-view": (
        "An encoder is taught with each size of crop and each resolution, the same number of steps and of pairs. Accuracy is on fixed "
        "pairs of the last frames. Pairs are no independent witnesses: the spread over seeds is shown, and no interval."
    ),
    "errors": f"{_EVENTS}{_LEAKS} Errors by time are those of single windows, after calibration, at probability 0.5.",
    "calibration": (
        "The held-out answers of one head under three calibrations, each fitted on other blocks: none, a temperature, and a "
        "temperature with a bias (Platt). A head is taught with as many events as non-events; only a bias can tell it that events are "
        "rare. Lower is better. Where events are rare ECE is easy: one who always says the prevalence has none, so look at Brier score "
        "and log loss, too." + _LEAKS
    ),
    "labels": (
        f"{_EVENTS} Of the events that may teach, the seed draws some; the windows of the others count neither way, all that shows "
        "no event is a negative. Average precision needs no threshold. F1 does, and its threshold comes from all labels of the other "
        "blocks: with few labels nobody would know it so well, so F1 is too good there."
    ),
    "splits": (
        "The same head under each split. Leakage is the share of test windows that share a pixel with a taught one. Shares of 60/20/20 % "
        "at random and in blocks differ in nothing else; what the first promises beyond the second is the leak." + _LEAKS
    ),
    "pretexts": (
        f"{_EVENTS} Every game teaches an encoder on every movie by itself, the same network, as many steps, as many pixels a step; the "
        "same head then reads the features alone. Of the events that may teach, the seed draws some. Ranks compare games within a movie "
        "and a number of labels, so that an easy movie does not count more. A game that learns slowly looks worse than it is where steps "
        "are few; and of twenty games one lies beyond a 95 % interval by chance alone."
    ),
    "seeds": f"{_EVENTS} Rows differ in what the seed changes; their sd says how much of a difference between methods is luck.",
}


def answer(name: str, summary: pd.DataFrame) -> str:
    """Say in one or two sentences what came out."""
    rows = [{str(key): value for key, value in row.items()} for row in summary.to_dict("records")]
    if name == "splits":
        return _inflation(rows)
    if name == "calibration":
        return _honest(rows)
    if name == "seeds":
        return _luck(rows)
    if name == "content-view":
        return _best(rows, "val_accuracy_motion", "accuracy where cells move")
    return _best(rows, "average_precision", "average precision")


def _best(rows: list[dict[str, Any]], metric: str, words: str) -> str:
    told = sorted((row for row in rows if known(row.get(metric))), key=lambda row: -row[metric])
    if not told:
        return "No row came to an end; see what failed."
    first = f"Highest {words}: {told[0]['row']}, {mean_sd(told[0], metric)}."
    if len(told) < 2:
        return first
    gap, spread = told[0][metric] - told[1][metric], max(_sd(told[0], metric), _sd(told[1], metric))
    clear = f"the difference lies {'beyond' if gap > spread else 'within'} the spread over seeds"
    if spread == float("inf"):
        clear = "one seed has no spread, so nobody knows what the difference is worth"
    return f"{first} Next: {told[1]['row']}, {mean_sd(told[1], metric)}; {clear}."


def _sd(row: dict[str, Any], metric: str) -> float:
    value = row.get(f"{metric}_sd")
    return float(value) if value is not None and known(value) else float("inf")


def _inflation(rows: list[dict[str, Any]]) -> str:
    told = []
    for random in (row for row in rows if "random crops" in row["row"] and known(row.get("crop_auprc"))):
        name = random["row"].partition(",")[0]
        blocked = next((row for row in rows if row["row"].startswith(f"{name}, blocks of time, 60")), None)
        if blocked is not None and known(blocked.get("crop_auprc")):
            gap = random["crop_auprc"] - blocked["crop_auprc"]
            told.append(
                f"{name}: a random split promises an area under PR of {mean_sd(random, 'crop_auprc')} where blocks of time give "
                f"{mean_sd(blocked, 'crop_auprc')} ({gap:+.2f}), and under ROC {mean_sd(random, 'crop_auroc')} where they give "
                f"{mean_sd(blocked, 'crop_auroc')}; {random['leakage']:.0%} of its test crops leak."
            )
    return " ".join(told) or "The random and the blocked split did not both come to an end."


def _honest(rows: list[dict[str, Any]]) -> str:
    told = [row for row in rows if known(row.get("ece_platt")) and "leaks" not in row["row"]]
    if not told:
        return "No row came to an end; see what failed."
    means = {method: sum(row[f"ece_{method}"] for row in told) / len(told) for method in ("none", "temperature", "platt")}
    return (
        f"Calibration error (ECE), mean of {plural(len(told), 'row')}: {means['none']:.2g} without calibration, "
        f"{means['temperature']:.2g} with a temperature, {means['platt']:.2g} with a temperature and a bias."
    )


def _luck(rows: list[dict[str, Any]]) -> str:
    told = [f"{row['row']}: {mean_sd(row, 'average_precision')}" for row in rows if known(row.get("average_precision"))]
    return f"Average precision, mean ± sd over seeds. {'; '.join(told)}." if told else "No row came to an end."
