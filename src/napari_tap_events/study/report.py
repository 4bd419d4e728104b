"""The report: one page, complete in itself, that shows what a result folder holds; written anew from the folder at any time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from napari_tap_events.study import figures, pictures, tables
from napari_tap_events.study import figures_over_time as along_time
from napari_tap_events.study.methods import methods
from napari_tap_events.study.over_time import over_time_of_result, true_times
from napari_tap_events.study.page import Page, Section, check_installed, put_page
from napari_tap_events.study.pictures import Picture
from napari_tap_events.study.result import Result, read_result
from napari_tap_events.study.result_folder import read_result_folder
from napari_tap_events.study.study_page import study_page
from napari_tap_events.study.words import counted_by_windows, counted_events, headline, plural, tiles

FRAMES_SHOWN = 6
MOST_INSETS = 8


def write_report(folder: Path) -> Path:
    """Write `report.html` into a result folder and return its path.

    What the folder does not hold is left out; what it names and cannot be read is said. The page needs nothing else: every
    figure lies in it, and nothing is loaded from anywhere.

    Parameters
    ----------
    folder : Path
        With a `result.json`.

    Raises
    ------
    OutputError
        When there is no readable `result.json`, the page cannot be written, or matplotlib or jinja2 is not installed.
    """
    check_installed()
    card = read_result_folder(folder)
    page_of = study_page if card.command.startswith("study") else _page
    return put_page(folder, page_of(folder))


def _page(folder: Path) -> Page:
    result = read_result(folder)
    sections = list(_sections(result))
    told, references = methods(result)
    return Page(
        name=str(result.described.get("name") or result.folder.resolve().name),
        command=result.command,
        created=str(result.card.get("created", "")),
        headline=headline(result),
        sections=tuple(sections),
        tiles=tuple(tiles(result)),
        leaks=result.leaks,
        warnings=tuple(str(warning) for warning in result.card.get("warnings") or ()),
        notes=(*result.notes, *_absences(result)),
        methods=" ".join(told),
        references=tuple(references),
        settings=tuple(tables.setting_tables(result)),
        kinds=tuple(_legend(result, sections)),
    )


def _sections(result: Result) -> Iterator[Section]:
    """Make every section that the folder has data for."""
    for part in (
        _movie,
        _review,
        _scores,
        _over_time,
        _probability,
        _grad_cam,
        _learning,
        _calibration,
        _precision_recall,
        _crops,
        _events,
    ):
        section = part(result)
        if section is not None:
            yield section


def _movie(result: Result) -> Section | None:
    movie = result.movie
    if movie is None:
        return None
    events, truth = _shown(result)
    radius, near = _radius_px(result), _near_frames(result)
    times = pictures.telling_frames(events, movie.n_frames, FRAMES_SHOWN)
    shown = tuple(pictures.frame_picture(movie, t, events, truth, radius_px=radius, frames=near) for t in times)
    lead = "Frames spread over the movie."
    if events is not None:
        lead += f" Marked are the events that begin in them; fainter, those up to {plural(near, 'frame')} away."
    return Section("movie", "The movie", lead, pictures=shown)


def _scores(result: Result) -> Section | None:
    found = (tables.score_table(result), tables.kinds_table(result), tables.tolerance_table(result))
    if found[0] is None:
        return None
    score = result.evaluation["score"]
    points, curves = score.get("tolerance_curve"), []
    if points:
        name = "recall" if score.get("recall_only") else "f1"
        alt = "Score against the tolerance in time, a line for each tolerance in space; the numbers are in the table beside it."
        curves.append(Picture(figures.tolerance_lines(points, name), "How much the score owes to the tolerance", alt))
    lead = "Predicted and true events matched one to one."
    if score.get("recall_only"):
        lead += " Only recall is told: the annotation is not complete, so a false event cannot be told from one nobody marked."
    return Section("scores", "Scores", lead, judged=True, curves=tuple(curves), tables=tuple(table for table in found if table))


def _review(result: Result) -> Section | None:
    table = tables.said_table(result)
    if table is None:
        return None
    lead = "Random windows were looked at to count what a list misses; they taught nothing. The model is that of the review."
    return Section("review", "What a person said", lead if counted_by_windows(result) else "", tables=(table,))


def _over_time(result: Result) -> Section | None:
    (events, truth), curves, lead = _shown(result), [], ""
    told = over_time_of_result(result, events, result.candidates) if events is not None and result.shape else None
    if told is not None and result.shape and told.kinds:
        many = plural(sum(int(kind.counted.sum()) for kind in told.kinds), "event")
        alt = f"Bars of {many} over {result.shape[0]} frames, for each kind, and a line with its 95 % interval."
        svg = along_time.events_over_time(told, true_times(truth, told), result.shape[0], result.interval_s)
        curves.append(Picture(svg, "Events", alt))
        lead = told.meaning()
    by_time = result.evaluation.get("by_time")
    if by_time and by_time.get("t"):
        alt = f"{sum(by_time['false_negative']):g} windows missed and {sum(by_time['false_positive']):g} false ones over time."
        curves.append(Picture(along_time.errors_by_time(by_time), "Windows with an event, and errors among them", alt))
    return Section("time", "Over time", lead, curves=tuple(curves), judged=bool(by_time)) if curves else None


def _probability(result: Result) -> Section | None:
    looks = {"probability": result.probability, "simulated": result.simulated, "arrow": result.arrow}
    if result.card.get("inputs", {}).get("by") == "arrow":
        del looks["simulated"]
    movie, look = result.movie, next((name for name, stored in looks.items() if stored is not None), "")
    stored = looks.get(look)
    if movie is None or stored is None:
        return None
    events, truth = _shown(result)
    if events is None or events.empty:
        times, where = pictures.telling_frames(None, movie.n_frames - 1, FRAMES_SHOWN), ""
    else:
        times, where = pictures.strongest_frames(events, FRAMES_SHOWN), ", in the frames with the most probable events"
    radius, near = _radius_px(result), _near_frames(result)
    shown = tuple(pictures.frame_picture(movie, t, events, truth, stored, radius, near, look) for t in times)
    title = {"probability": "Event probability", "simulated": "Events as simulated", "arrow": "Arrow map"}[look]
    meaning = {
        "probability": "The calibrated probability that a window around a place holds an event between this frame and the next",
        "simulated": "How much a place looks like a division or death of simulated movies; no label was used, it is not calibrated",
        "arrow": "How clearly a place tells which of two frames came first, learned without any label; 0 is a guess, 1 is certain",
    }[look]
    return Section(look, title, f"{meaning}{where}.", pictures=shown, look=look)


def _grad_cam(result: Result) -> Section | None:
    movie, stored, places = result.movie, result.grad_cam, result.insets
    if movie is None or stored is None:
        return None
    if places is None or places.empty:
        times = pictures.telling_frames(_shown(result)[0], movie.n_frames - 1, FRAMES_SHOWN)
        shown = tuple(pictures.frame_picture(movie, t, None, None, stored, look="grad_cam") for t in times)
        return Section("grad-cam", "Grad-CAM", "Where the network looks when it decides.", pictures=shown, look="grad_cam")
    side = int(result.setting("inset_px", 48))
    insets = []
    for rank, place in enumerate(places.head(MOST_INSETS).to_dict("records"), start=1):
        where = (int(place["t"]), float(place["y"]), float(place["x"]))
        value = place.get("value")
        told = f", value {value:.2f}" if value is not None and np.isfinite(value) else ""
        heading = f"{rank}. Frame {where[0]}, row {where[1]:.0f}, column {where[2]:.0f}{told}"
        insets.append((heading, pictures.pair_pictures(movie, where, side, stored, "grad_cam")))
    lead = "The places that weigh most in the network's decision: the two frames, and the map over the first."
    return Section("grad-cam", "Grad-CAM", lead, insets=tuple(insets), look="grad_cam")


def _game(result: Result) -> tuple[str, float | None]:
    """Return what was learned without labels, and the accuracy of chance where there is one."""
    played = str(result.setting("pretext", "time_arrow"))
    names = [part.partition(":")[0].strip() for part in played.split(",")]
    if names == ["time_arrow"]:
        return "Time arrow prediction (no labels)", 0.5
    words = {"time_arrow": "Time arrow", "simulated": "simulated movies" if len(names) > 1 else "Events of simulated movies"}
    told = " and ".join(words.get(name, f"the game {name.replace('_', ' ')}") for name in names)
    return f"{told[:1].upper()}{told[1:]} (no labels)", 0.5 if "time_arrow" in names else None


def _learning(result: Result) -> Section | None:
    curves = []
    for history, what, chance in (
        (result.pretrain_history, *_game(result)),
        (result.head_history, "Event head", None),
    ):
        if history is not None:
            svg = figures.learning_curves(history, chance)
            curves.append(Picture(svg, what, f"{what}: loss and accuracy over {history['step'].max():g} steps."))
    return Section("learning", "Learning", curves=tuple(curves)) if curves else None


def _calibration(result: Result) -> Section | None:
    before, after = (result.evaluation.get(f"reliability_{when}") for when in ("before", "after"))
    if not before and not after:
        return None
    alt = "Observed frequency of events against their predicted probability, over the number of windows in each of the bins."
    curve = Picture(figures.reliability(before, after), "Reliability; bars: one standard error", alt)
    lead = "On the dotted line, a probability of 0.7 is right seven times out of ten. ECE is the mean distance from that line."
    found = (tables.calibration_table(result), tables.calibration_methods_table(result))
    shown = tuple(table for table in found if table)
    return Section("calibration", "Calibration", lead, judged=True, curves=(curve,), tables=shown)


def _precision_recall(result: Result) -> Section | None:
    curve = result.evaluation.get("pr")
    if not curve or not curve.get("threshold"):
        return None
    area = (result.evaluation.get("score") or {}).get("average_precision")
    svg = figures.precision_recall(curve, result.threshold, area)
    chosen = "" if result.threshold is None else f"; the threshold in use is {result.threshold:.2f}"
    alt = f"Precision against recall at {len(curve['threshold'])} thresholds{chosen}."
    lead = "What is gained and what is lost by moving the threshold."
    drawn, table = Picture(svg, "Events, one to one", alt), tables.threshold_table(result)
    return Section("pr", "Precision and recall", lead, judged=True, curves=(drawn,), tables=(table,) if table else ())


def _crops(result: Result) -> Section | None:
    found = tables.crop_tables(result)
    lead = "Single crops, not events: they tell how the head learns, not how many events a scan of whole frames will find."
    return Section("crops", "Crops", lead, judged=True, tables=tuple(found)) if found else None


def _events(result: Result) -> Section | None:
    table = tables.events_rows(counted_events(result), result.interval_s)
    return Section("events", "Events", long_table=table) if table else None


def _absences(result: Result) -> list[str]:
    """Say what would be worth having and is not there."""
    told = []
    if result.events is not None and result.truth is None and not result.evaluation.get("score"):
        told.append(
            "There are no scores: what was found was not held against true events. How good a head is that marks have taught, the report "
            "of its training tells."
        )
    if result.described and result.interval_s is None:
        told.append("Times are in frames: the movie's frame interval is not known.")
    return told


def _legend(result: Result, sections: list[Section]) -> list[tuple[str, str]]:
    """Return every kind drawn in the pictures, and its mark as SVG."""
    events = counted_events(result)
    if events is None or not any(section.pictures for section in sections):
        return []
    drawn = [(str(kind), pictures.mark_sample(str(kind))) for kind in sorted(events["kind"].unique())]
    return [*drawn, ("true event", pictures.ring_sample())] if result.truth is not None else drawn


def _shown(result: Result) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Return events and true events of the movie that is shown."""
    events, truth = counted_events(result), result.truth
    return (None if events is None else result.of_movie(events)), (None if truth is None else result.of_movie(truth))


def _radius_px(result: Result) -> float:
    return float(result.section_with("radius_frames").get("radius_px", 15.0))


def _near_frames(result: Result) -> int:
    return int((result.evaluation.get("score") or {}).get("frames", result.setting("radius_frames", 2)))
