"""What each study tries: its rows, and what a trial of a row changes in the settings of a head."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from napari_tap_events.encoder.shipped import SHIPPED
from napari_tap_events.errors import SettingsError
from napari_tap_events.events.criteria import CRITERIA
from napari_tap_events.jobs.pretext_trials import pretext_rows
from napari_tap_events.jobs.trial import FEATURES_ALONE, TAP, Marked, Trial
from napari_tap_events.settings import PAPER_STUDIES, HeadKind, StudyName, StudySettings

HEADS: tuple[HeadKind, ...] = get_args(HeadKind)
CONTROLS = ("random", "random-paper", "scratch")
SCRATCH: dict[str, Any] = {"nested": False, "steps": 150, "batch": 4, "tile_px": 64, "learning_rate": 2e-3}
"""End to end is dear: calibrated by the other folds' heads, in fewer and smaller steps, as long as no fewer are asked for."""
VIEWS = {"half": 0.5, "published": 1.0, "double": 2.0}
WEIGHED: dict[str, Any] = {"head": "evidence", "features": False, "arrow": False, "intensity": True, "simulated": True}
"""The head that is taught where nothing is chosen."""


def trials(name: StudyName, settings: StudySettings, marked: Marked) -> list[Trial]:
    """Return all trials of a study, seed by seed, so that a study that is stopped has all rows of the first seeds.

    Raises
    ------
    SettingsError
        When there is no such study, no row is left, or the paper has no protocol for this study.
    """
    if name not in _GRIDS:
        raise SettingsError(f"there is no study '{name}'; there are: {', '.join(_GRIDS)}.")
    if settings.paper and name not in PAPER_STUDIES:
        raise SettingsError(f"paper = True goes with the studies {', '.join(PAPER_STUDIES)}; leave it away for '{name}'.")
    rows = [trial for trial in _GRIDS[name](settings, marked) if settings.paper or trial.how != "paper"]
    wanted = [part.strip() for part in settings.rows.split(";") if part.strip()]
    chosen = [trial for trial in rows if not wanted or any(part in trial.row for part in wanted)]
    if not chosen:
        raise SettingsError(f"rows = '{settings.rows}' names none of: {'; '.join(trial.row for trial in rows)}.")
    seeds = range(settings.seed, settings.seed + settings.seeds)
    return [replace(trial, seed=seed, encoder_seed=_encoder_seed(trial, seed, settings)) for seed in seeds for trial in chosen]


def _encoder_seed(trial: Trial, seed: int, settings: StudySettings) -> int:
    """Return the seed of the encoder: that of the trial, unless the row keeps it fixed."""
    return seed if trial.encoder_seed is None else settings.seed + trial.encoder_seed


def _image() -> Trial:
    return Trial("image + small convolutional head", 0, encoder="intensity", changes={"head": "evidence"})


def tap_name(settings: StudySettings) -> str:
    """Return what the study's encoder is called in the rows: "tap", or the name of the encoder that was given."""
    return Path(settings.encoder.replace("-{seed}", "").replace("{seed}", "")).name if settings.encoder else TAP


def _features(settings: StudySettings, _marked: Marked) -> Iterator[Trial]:
    tap = tap_name(settings)
    published = {
        (TAP, "linear"): "A0",
        (TAP, "resnet"): "A1",
        ("random-paper", "linear"): "B0",
        ("random-paper", "resnet"): "B1",
    }
    published |= {("scratch", "linear"): "C0", ("scratch", "resnet"): "C1"}
    for encoder in (TAP, *CONTROLS):
        name = {TAP: tap, "scratch": "end to end"}.get(encoder, encoder)
        for head in HEADS:
            changes = {"head": head, **(_scratch(settings) if encoder == "scratch" else FEATURES_ALONE)}
            yield Trial(f"{name}, {head}", 0, "head", encoder, changes, published.get((encoder, head), ""))
        for head in ("linear", "resnet"):
            row = f"{name}, {head}, paper's protocol (leaks)"
            yield Trial(row, 0, "paper", encoder, {"head": head}, published.get((encoder, head), ""))
    more = {"head": "evidence", **FEATURES_ALONE, "arrow": True}
    yield Trial(f"{tap} + arrow map, evidence", 0, changes=more)
    yield Trial(f"{tap} + arrow map + image, evidence", 0, changes={**more, "intensity": True})
    if tap != SHIPPED:
        yield Trial("shipped encoder, its event map weighed against the image", 0, encoder=SHIPPED, changes=WEIGHED)
    yield _image()
    yield Trial("pixel difference", 0, encoder="difference", changes={"head": "evidence"})
    yield Trial(f"{tap}: arrow map alone, no label", 0, "arrow")


def _scratch(settings: StudySettings) -> dict[str, Any]:
    return SCRATCH | {"steps": min(settings.steps or SCRATCH["steps"], SCRATCH["steps"])}


def _criteria(_settings: StudySettings, _marked: Marked) -> Iterator[Trial]:
    for criterion in CRITERIA:
        for head in HEADS:
            changes = {"criterion": criterion, "head": head, **FEATURES_ALONE}
            yield Trial(f"{criterion}, {head}", 0, changes=changes, published=f"{criterion}, {head}")
            if head != "evidence":
                row = f"{criterion}, {head}, paper's protocol (leaks)"
                yield Trial(row, 0, "paper", changes=changes, published=f"{criterion}, {head}")


def _content_view(settings: StudySettings, _marked: Marked) -> Iterator[Trial]:
    for name, factor in VIEWS.items():
        patch_px = round(settings.patch_px * factor)
        row = f"crops of {patch_px} px"
        yield Trial(row, 0, "pretrain", changes={"patch_px": patch_px}, published=f"crop {name}")
    for name, factor in VIEWS.items():
        if factor != 1:
            row = f"{name} resolution, crops of {settings.patch_px} px"
            yield Trial(row, 0, "pretrain", resolution=factor, published=f"resolution {name}")


def _errors(settings: StudySettings, _marked: Marked) -> Iterator[Trial]:
    tap = tap_name(settings)
    for head in HEADS:
        yield Trial(f"{tap}, {head}", 0, changes={"head": head, **FEATURES_ALONE}, published="A1" if head == "resnet" else "")
    yield _image()
    yield Trial(f"{tap}, resnet, paper's protocol (leaks)", 0, "paper", changes={"head": "resnet"}, published="A1")


def _calibration(settings: StudySettings, _marked: Marked) -> Iterator[Trial]:
    tap = tap_name(settings)
    for head in HEADS:
        yield Trial(f"{tap}, {head}", 0, changes={"head": head, **FEATURES_ALONE})
    yield _image()
    yield Trial(f"{tap}, resnet, paper's protocol (leaks)", 0, "paper", changes={"head": "resnet"})


def _labels(settings: StudySettings, marked: Marked) -> Iterator[Trial]:
    tap = tap_name(settings)
    # of K folds, (K - 1) / K of the events can teach
    most = marked.n_true * (1 - 1 / settings.folds) if settings.folds else 0.6 * marked.n_true
    rows: list[tuple[str, str, Mapping[str, Any]]] = [
        (tap, TAP, {}),
        (f"{tap} features alone", TAP, FEATURES_ALONE),
        ("image", "intensity", {}),
        ("random features alone", "random", FEATURES_ALONE),
    ]
    if tap != SHIPPED:
        rows.append(("shipped encoder", SHIPPED, WEIGHED))
    for name, encoder, changes in rows:
        for budget in sorted(set(settings.budgets)):
            if budget < most:
                yield Trial(f"{name}, {budget} labelled", 0, encoder=encoder, changes={**changes, "teaching_events": budget})
        yield Trial(f"{name}, all labelled", 0, encoder=encoder, changes=changes)


def _splits(settings: StudySettings, marked: Marked) -> Iterator[Trial]:
    tap = tap_name(settings)
    for name, encoder in ((tap, TAP), ("image", "intensity")):
        once: dict[str, Any] = {"folds": 0}
        yield Trial(f"{name}, random crops (leaks)", 0, encoder=encoder, changes={**once, "split": "random"})
        yield Trial(f"{name}, blocks of time, 60/20/20 %", 0, encoder=encoder, changes={**once, "split": "time-blocks"})
        if settings.folds:
            row = f"{name}, blocks of time, {settings.folds}-fold"
            yield Trial(row, 0, encoder=encoder, changes={"split": "time-blocks"})
        if marked.n_movies > 1:
            changes = {"split": "movies", "folds": marked.n_movies}
            yield Trial(f"{name}, whole movies", 0, encoder=encoder, changes=changes)


def _seeds(settings: StudySettings, _marked: Marked) -> Iterator[Trial]:
    tap = tap_name(settings)
    yield Trial(f"{tap}: seed of encoder and head", 0)
    if not settings.encoder or "{seed}" in settings.encoder:
        yield Trial(f"{tap}: seed of the head, same encoder", 0, encoder_seed=0)
        yield Trial(f"{tap}: seed of the encoder, same head", 0, changes={"seed": settings.seed})
    yield Trial("image: seed of the head", 0, encoder="intensity")


_GRIDS: dict[StudyName, Callable[[StudySettings, Marked], Iterator[Trial]]] = {
    "features": _features,
    "criteria": _criteria,
    "content-view": _content_view,
    "errors": _errors,
    "calibration": _calibration,
    "labels": _labels,
    "splits": _splits,
    "seeds": _seeds,
    "pretexts": pretext_rows,
}
