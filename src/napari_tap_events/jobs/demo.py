"""The recipe `demo`: the main job in one go, from a movie to a report."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

from napari_tap_events.jobs.detect import as_taught, detect
from napari_tap_events.jobs.explain import explain
from napari_tap_events.jobs.labelled import Labelled, marks_hash, open_labelled, truth_of
from napari_tap_events.jobs.output import RESULT, Run, finish, read_json, start
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.jobs.synth import synth
from napari_tap_events.jobs.train import train
from napari_tap_events.jobs.without_labels import detect_without_labels
from napari_tap_events.movies.event_sizes import fitting_sizes
from napari_tap_events.movies.masks import open_masks
from napari_tap_events.movies.movie import single_channel
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.reports import Report
from napari_tap_events.settings import (
    DemoSettings,
    DetectSettings,
    ExplainSettings,
    HeadSettings,
    PretrainSettings,
    Settings,
    SyntheticSettings,
)
from napari_tap_events.study.report import write_report

SYNTHETIC = "synthetic"
NOTHING, BOTH_GAMES = "nothing", "time_arrow:1,simulated:1"


def demo(
    movie: Path | None, masks: Path | None, events: Path | None, settings: DemoSettings, run: Run
) -> Generator[Report, None, Path]:
    """Pretrain, train out of fold, map, explain, and write `report.html`.

    Without a mask there is nothing to train a head on: then the encoder's own maps rank the candidates.

    Parameters
    ----------
    movie : Path, optional
        By default a synthetic movie is made.
    masks, events : Path, optional
        Marked events of the movie; for the synthetic movie they are known.
    settings : DemoSettings
    run : Run
    """
    marks = None
    if movie is not None:
        opened = single_channel(open_movie(movie, run.movie))
        if masks is not None:
            marked = open_masks(masks, opened, events)
            marks = marks_hash([marked], [truth_of(Labelled(movie, masks, events), marked)])
    start(run, "demo", settings, {"movie": [movie], "masks": [masks], "events": [events]}, marks)
    if movie is None:
        folder = run.out / SYNTHETIC
        yield Report("synth", message=synth(folder, SyntheticSettings(seed=settings.seed), overwrite=True))
        movie, masks, events = folder / "movie.tif", folder / "masks.tif", folder / "truth.csv"
    pretraining = _pretraining(settings)
    chosen: dict[str, Settings] = {"demo": settings, "pretrain": pretraining, "explain": ExplainSettings()}
    encoder = yield from _once(run, "encoder", lambda part: pretrain([movie], pretraining, part))
    parts = [encoder]
    if masks is None:
        search = as_taught(DetectSettings(), {})
        chosen["detect"] = search
        found = yield from _once(run, "detect", lambda part: detect_without_labels(movie, encoder, search, part))
        seen = yield from _once(run, "explain", lambda part: explain(movie, ExplainSettings(), part, encoder=encoder))
    else:
        labelled = Labelled(movie, masks, events)
        head = _teaching(settings, encoder, labelled, run)
        chosen["train"] = head
        found = yield from _once(run, "head", lambda part: train([labelled], head, part))
        mapped = yield from _once(run, "detect", lambda part: detect(movie, found, DetectSettings(), part))
        parts.append(mapped)
        seen = yield from _once(run, "explain", lambda part: explain(movie, ExplainSettings(), part, head=found))
    _finish(run, chosen, [*parts, seen, found])
    yield Report("report", 1, 1, f"wrote {write_report(run.out)}")
    return run.out


def _pretraining(settings: DemoSettings) -> PretrainSettings:
    """Return the settings of pretraining: the time arrow; beside it, where an encoder is gone on from, the simulated movies."""
    plain = {"patch_px": settings.patch_px, "steps": settings.pretrain_steps, "seed": settings.seed}
    if settings.start_from == NOTHING:
        return PretrainSettings.checked(preset=settings.preset, **plain)
    return PretrainSettings.checked(start_from=settings.start_from, pretext=BOTH_GAMES, **plain)


def _teaching(settings: DemoSettings, encoder: Path, labelled: Labelled, run: Run) -> HeadSettings:
    """Return the settings of the head, with sizes that fit the marks."""
    plain = {
        "encoder": str(encoder),
        "head": settings.head,
        "steps": settings.head_steps,
        "folds": settings.folds,
        "seed": settings.seed,
    }
    _, marks = open_labelled(labelled, run.movie, HeadSettings())
    fitting = fitting_sizes(marks)
    sizes = fitting.chosen() if fitting else {}
    if settings.crop_px is not None:
        sizes["crop_px"] = settings.crop_px
    return HeadSettings.checked(**plain, **sizes)


def _once(run: Run, name: str, recipe: Any) -> Generator[Report, None, Path]:
    """Run a part of the job in its own folder; on resuming, one that is finished is not run again."""
    part = run.within(name)
    if run.resume and (part.out / RESULT).exists():
        return part.out
    if run.resume and name in ("detect", "explain"):
        shutil.rmtree(part.out, ignore_errors=True)
    made: Path = yield from recipe(part)
    return made


def _finish(run: Run, settings: dict[str, Settings], folders: list[Path]) -> None:
    """Gather the parts' files and numbers in the demo's own `result.json`; of two files of one role the later folder's counts.

    The head's own map and events, which are out of fold, thus stand before those of the final head on frames it was taught; the
    numbers and warnings of that pass are left out for the same reason.
    """
    parts = [(folder, read_json(folder / RESULT) or {}) for folder in folders]
    files: dict[str, str] = {}
    inputs: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    warnings: list[str] = []
    for folder, result in parts:
        files |= {role: str((folder / path).relative_to(run.out)) for role, path in result["files"].items()}
        inputs |= result["inputs"]
        if result["command"] != "detect" or folder == folders[-1]:
            summary |= result["summary"]
            warnings += result["warnings"]
    inputs["masks"] = files.get("masks")
    finish(run, "demo", settings, inputs, files, summary, warnings)
