"""Two ways to choose a threshold, compared on lists of candidates whose truth is known.

    python -m benchmarks.thresholds FOLDER=TRUTH.csv:RADIUS_PX ... [--zero-labels SCORES ...] [--data FOLDER] [--events 11,150]
                                    [--draws 150] [--out F]

FOLDER is what `detect` or `train` wrote, or a pattern of such folders, in quotes; its `candidates.csv` is read (of a head: out of fold).
SCORES is what `zero_labels.py` wrote; all its lists are taken, those of real movies with the events tables in `--data`.

For each number of events: so many of a list's events (four fifths, where there are fewer) are drawn, and as large a share of the other
candidates. Probabilities are fitted to them (Platt), a threshold is chosen by them, and what it lists of the rest of that list is
counted. "observed" is the threshold with the best F1 among those that were drawn, "promised" half of the best F1 that their calibrated
probabilities promise, "best of all" the threshold that nobody knows, for the whole list.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from benchmarks.zero_labels import judges
from napari_tap_events.events.calibration import fit_calibrator
from napari_tap_events.events.ranking import Outcomes, curve_of, outcomes, promised_threshold
from napari_tap_events.events.table import read_events
from napari_tap_events.settings import ScoreSettings

Floats = NDArray[np.float64]
AT_MOST = 0.8
"""Share of a list's events that choose."""
TINY = 1e-6


@dataclass(frozen=True)
class Listed:
    """Candidates of a movie whose events are known."""

    name: str
    candidates: Path
    truth: Path
    radius_px: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists", nargs="*", metavar="FOLDER=TRUTH.csv:RADIUS_PX")
    parser.add_argument("--zero-labels", type=Path, nargs="*", default=[])
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--events", default="11,150")
    parser.add_argument("--draws", type=int, default=150)
    parser.add_argument("--out", type=Path, default=None, help="JSON file to write.")
    given = parser.parse_args()
    lists = [
        *(one for text in given.lists for one in named(text)),
        *(one for scores in given.zero_labels for one in of_zero_labels(scores, given.data)),
    ]
    rng = np.random.default_rng(0)
    rows = []
    for listed in lists:
        for events in map(int, given.events.split(",")):
            row = compared(listed, events, given.draws, rng)
            if row is not None:
                rows.append(row)
                print(*row.values(), flush=True)
    for events in map(int, given.events.split(",")):
        mine = [row for row in rows if row["events_that_choose"] == events]
        means = {way: round(float(np.mean([row[way] for row in mine])), 3) for way in ("observed", "promised", "best of all")}
        print(f"{events} events, mean of {len(mine)} lists:", means if mine else "-")
    if given.out is not None:
        given.out.write_text(json.dumps(rows, indent=1))


def named(text: str) -> Iterator[Listed]:
    """Read FOLDER=TRUTH.csv:RADIUS_PX, where the folder may be a pattern."""
    folders, rest = text.split("=")
    truth, radius = rest.rsplit(":", 1)
    for folder in sorted(Path(folders).parent.glob(Path(folders).name)):
        yield Listed(folder.name, folder / "candidates.csv", Path(truth), float(radius))


def of_zero_labels(scores: Path, data: Path | None) -> Iterator[Listed]:
    """Yield the lists of a folder that `zero_labels.py` wrote, ranked by simulated events."""
    for judge in judges(data, scores):
        for folder in sorted((scores / "found").glob(f"*-{judge.name.replace(' ', '-')}-simulated")):
            yield Listed(folder.name, folder / "candidates.csv", judge.truth, judge.radius_px)


def compared(listed: Listed, events: int, draws: int, rng: np.random.Generator) -> dict[str, Any] | None:
    """Return the F1 of either way, over all draws; None where a list has too few events to spare as many, or to draw from at all."""
    seen = outcomes(read_events(listed.candidates), read_events(listed.truth), ScoreSettings(radius_px=listed.radius_px))
    known, chosen = seen.found_at.size, min(events, int(AT_MOST * seen.found_at.size))
    if known < 5 or (chosen < events and events > 11):
        return None
    counts = {"observed": np.zeros(3), "promised": np.zeros(3)}
    for _ in range(draws):
        some, rest = split(seen, chosen, rng)
        for way, threshold in (("observed", curve_of(some).best_threshold), ("promised", promised(some))):
            counts[way] += at(rest, threshold)
    f1 = {way: 2 * tp / (2 * tp + fp + fn) for way, (tp, fp, fn) in counts.items()}
    best = float(curve_of(seen).f1.max())
    rounded = {name: round(float(value), 3) for name, value in {**f1, "best of all": best}.items()}
    return {"list": listed.name, "events": known, "events_that_choose": events, **rounded}


def split(seen: Outcomes, chosen: int, rng: np.random.Generator) -> tuple[Outcomes, Outcomes]:
    """Draw events, and as large a share of false candidates; return them and the rest."""
    true, false = rng.permutation(seen.found_at.size), rng.permutation(seen.false_at.size)
    some = round(chosen / true.size * false.size)
    parts = ((true[:chosen], false[:some]), (true[chosen:], false[some:]))
    first, rest = (Outcomes(seen.found_at[t], seen.truth_t[t], seen.false_at[f], seen.false_t[f]) for t, f in parts)
    return first, rest


def promised(seen: Outcomes) -> float:
    """Return the threshold that calibrated probabilities promise to be best, on the scale of those that are given."""
    listed = seen.found_at[seen.found_at >= 0]
    given = np.concatenate([listed, seen.false_at])
    logits = logit(given.clip(TINY, 1 - TINY))
    there = np.arange(given.size) < listed.size
    calibrator = fit_calibrator(logits, there, "platt")
    threshold = promised_threshold(calibrator.probability(logits), seen.found_at.size)
    return float(expit((logit(threshold) - calibrator.bias) * calibrator.temperature))


def at(seen: Outcomes, threshold: float) -> tuple[int, int, int]:
    """Return how many are found, false and missed from a threshold on."""
    found = int((seen.found_at >= threshold).sum())
    return found, int((seen.false_at >= threshold).sum()), seen.found_at.size - found


if __name__ == "__main__":
    main()
