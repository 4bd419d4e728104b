"""Events over time as a result folder tells them: with all its candidates, in the frames that were searched."""

from __future__ import annotations

import pandas as pd

from napari_tap_events.events.over_time import OverTime, Smoothing, events_over_time
from napari_tap_events.events.table import UNCERTAIN
from napari_tap_events.study.result_folder import ResultFolder


def over_time_of_result(
    result: ResultFolder, events: pd.DataFrame, candidates: pd.DataFrame | None, smoothing: Smoothing | None = None
) -> OverTime:
    """Count the events of a result folder over time.

    Parameters
    ----------
    result : ResultFolder
    events : events table
        Of the movie that is shown.
    candidates : events table, optional
        Those that the folder holds, of all movies.
    smoothing : Smoothing, optional
    """
    n_frames = result.shape[0] if result.shape else int(events["t"].max()) + 2
    of_movie = None if candidates is None else result.of_movie(candidates)
    return events_over_time(events, n_frames, smoothing, of_movie, result.searched)


def true_times(truth: pd.DataFrame | None, told: OverTime) -> dict[str, list[int]]:
    """Return the frames of the true events of each kind that is told; where kinds are merged, those of all kinds.

    Kinds without true events are left out, and so are uncertain events.
    """
    if truth is None:
        return {}
    certain = truth[truth["kind"] != UNCERTAIN]
    times = {kind.kind: certain.loc[(certain["kind"] == kind.kind) | (kind.kind == "event"), "t"] for kind in told.kinds}
    return {kind: t.tolist() for kind, t in times.items() if len(t)}
