"""A methods paragraph to start a paper from, written from what a result folder knows of its own making; and its references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_tap_events.movies.registered import corners_of
from napari_tap_events.settings.games import GAMES
from napari_tap_events.study.result import Result
from napari_tap_events.study.words import duration, last_value, listed

REFERENCES = {
    "tap": (
        "Gallusser B, Stieber M, Weigert M (2023). Self-supervised dense representation learning for live-cell microscopy "
        "with time arrow prediction. MICCAI. arXiv:2305.05511."
    ),
    "events": (
        "Chen, Namboodiri, Sero (2024). Self-supervised representation learning for cell event recognition through time "
        "arrow prediction. arXiv:2411.03924."
    ),
    "stacking": "Wolpert DH (1992). Stacked generalization. Neural Networks 5:241-259.",
    "platt": (
        "Platt J (1999). Probabilistic outputs for support vector machines and comparisons to regularized likelihood "
        "methods. Advances in Large Margin Classifiers, 61-74."
    ),
    "temperature": (
        "Guo C, Pleiss G, Sun Y, Weinberger KQ (2017). On calibration of modern neural networks. ICML. arXiv:1706.04599."
    ),
    "grad_cam": (
        "Selvaraju RR et al. (2017). Grad-CAM: visual explanations from deep networks via gradient-based localization. ICCV. "
        "arXiv:1610.02391."
    ),
}


Told = tuple[list[str], list[str]]
"""Sentences, and the names of the references they cite."""


def methods(result: Result) -> Told:
    """Return the methods paragraph, sentence by sentence, and its references in full."""
    parts = (_about_movie, _about_encoder, _about_head, _about_calibration, _about_detection, _about_scores, _about_software)
    sentences: list[str] = []
    cited: list[str] = []
    for part in parts:
        told, references = part(result)
        sentences += told
        cited += [REFERENCES[name] for name in references]
    return sentences, list(dict.fromkeys(cited))


def _about_movie(result: Result) -> Told:
    if result.shape is None:
        return [], []
    t, c, y, x = result.shape
    size = f"{result.pixel_size_um:.4g} µm per pixel" if result.pixel_size_um else "pixel size not recorded"
    pace = f"one frame every {duration(result.interval_s)}" if result.interval_s else "frame interval not recorded"
    channels = f", {c} channels" if c > 1 else ""
    name, dtype = result.described.get("name") or "the movie", result.described.get("dtype")
    facts = "; ".join(fact for fact in (dtype, size, pace) if fact)
    return [
        f"The movie '{name}' has {t} frames of {y} × {x} pixels{channels} ({facts}).",
        *_about_registration(result),
        "Each frame was normalised to its own 1st and 99.8th percentile.",
    ], []


def _about_registration(result: Result) -> list[str]:
    corners = corners_of(result.files["movie"].resolve()) if "movie" in result.files else None
    if corners is None:
        return []
    wander = int(np.ptp(corners, axis=0).max())
    moved = f"its frames were moved by whole pixels, over {wander} px in all"
    return [f"It was registered: {moved}; places are those in the registered movie."]


def _about_encoder(result: Result) -> Told:
    given = result.section_with("patch_px")
    if not given:
        return [], []
    played = str(given.get("pretext") or "time_arrow")
    names = [part.partition(":")[0].strip() for part in played.split(",")]
    others = [*(_about_simulated(given) if "simulated" in names else []), *_about_other_games(given, names)]
    if "time_arrow" not in names:
        return others, []
    deltas = list(given.get("deltas") or [1])
    apart = f"{listed([str(delta) for delta in deltas])} frame{'' if deltas == [1] else 's'} apart"
    drawn = "more often where something moves" if given.get("sampling") == "motion" else "everywhere alike"
    steps = last_value(result.pretrain_history, "step") or given.get("steps")
    length = f", for {steps:.0f} steps of {given.get('batch', 32)} pairs" if steps else ""
    return [
        f"{_network(given)} was trained without labels by time arrow prediction "
        f"(Gallusser et al. 2023): to tell the order of two crops of {given['patch_px']} × {given['patch_px']} pixels of one "
        f"place, {apart}, drawn {drawn}{length} (seed {given.get('seed', 0)}).",
        *others,
    ], ["tap"]


def _network(given: Mapping[str, Any]) -> str:
    preset = str(given.get("preset", "unet16"))
    return f"A vision transformer ({preset})" if preset.startswith("vit") else f"A U-Net encoder ({preset})"


def _about_other_games(given: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return [
        f"The encoder ({given.get('preset', 'unet16')}) was taught by the game '{name}', on crops of {given.get('patch_px')} × "
        f"{given.get('patch_px')} pixels (seed {given.get('seed', 0)})"
        + (f": {GAMES[name].reference}." if name in GAMES else ".")
        for name in names
        if name not in ("time_arrow", "simulated")
    ]


def _about_simulated(given: Mapping[str, Any]) -> list[str]:
    return [
        f"The encoder ({given.get('preset', 'unet16')}) and a pair head were taught to find the divisions and deaths of endless "
        f"simulated movies of randomised looks, in crop pairs of {given.get('simulated_px')} × {given.get('simulated_px')} pixels "
        f"(seed {given.get('seed', 0)}); no label of a real movie was used."
    ]


def _about_head(result: Result) -> Told:
    given = result.section_with("head")
    if not given:
        return _about_borrowed_head(result)
    size, frames = str(given.get("criterion", "size-either")).split("-")
    needed = f"more than {given.get('area_px', 40)} event pixels" if size == "size" else "any event pixel"
    which = "both of its frames hold" if frames == "both" else "either of its two frames holds"
    crop = given.get("crop_px", 48)
    sentences = [
        f"On {_inputs(given)} an event head ('{given['head']}') was trained (Chen et al. 2024): a window of {crop} × {crop} "
        f"pixels counts as an event when {which} {needed}."
    ]
    guided = bool(given.get("simulated"))
    if guided:
        sentences.append(
            "It was weighed against the evidence of a pair head that had learned from simulated movies, by a logistic regression on "
            "held-out candidates (Wolpert 1992)."
        )
    if result.leaks:
        sentences.append(
            "Pairs were split at random, as published; this split leaks, so scores are better than they should be."
        )
    elif result.setting("split") == "movies":
        sentences.append("Whole movies were kept apart for training, validation and test.")
    elif result.setting("split") is not None:
        guard = result.setting("guard_frames", 2)
        sentences.append(f"Training, validation and test frames are blocks of time with {guard} frames left out between them.")
    return sentences, ["events", *(["stacking"] if guided else [])]


def _inputs(given: Mapping[str, Any]) -> str:
    """Say what a head reads."""
    own = {
        "difference": "the difference of the two frames",
        "intensity": "the normalised image",
        "scratch": "features that were learned with it",
    }.get(str(given.get("encoder")))
    names = {"features": "the frozen features", "arrow": "the arrow map", "intensity": "the normalised image"}
    read = [words for name, words in names.items() if given.get(name, name == "features")]
    return own or listed(read or [names["features"]])


def _about_borrowed_head(result: Result) -> Told:
    """Tell of a head that was trained elsewhere, and how it did there."""
    inputs = result.card.get("inputs") or {}
    if not isinstance(inputs.get("head"), str):
        return [], []
    metrics = inputs.get("head_metrics") or {}
    score = f", which reached F1 {metrics['f1']:.2f} on data held out in its training" if metrics.get("f1") is not None else ""
    return [f"Events were found by the head '{inputs['head']}' (Chen et al. 2024){score}."], ["events"]


def _about_calibration(result: Result) -> Told:
    method = result.setting("calibration")
    if method == "platt":
        return ["Probabilities were calibrated on validation data by a temperature and a bias (Platt 1999)."], ["platt"]
    if method == "temperature":
        return ["Probabilities were calibrated on validation data by a temperature (Guo et al. 2017)."], ["temperature"]
    return [], []


def _about_detection(result: Result) -> Told:
    sentences = []
    given = result.section_with("radius_frames")
    if result.events is not None and given:
        least = f" of at least {result.threshold:.2f}" if result.threshold is not None else ""
        near = f"{given.get('radius_px', 15):g} pixels and {given['radius_frames']} frames"
        sentences.append(
            f"Events are the local maxima{least} of the probability map, computed every {given.get('stride_px', 4)} pixels; of "
            f"maxima within {near} of each other the highest was kept."
        )
    if result.grad_cam is None:
        return sentences, []
    return [*sentences, "What a decision rests on was mapped by Grad-CAM (Selvaraju et al. 2017)."], ["grad_cam"]


def _about_scores(result: Result) -> Told:
    score = result.evaluation.get("score")
    if not score:
        return [], []
    sentences = [
        f"Predicted and true events were matched one to one, within {score['radius_px']:g} pixels and {score['frames']} "
        "frames, so that as many as possible match; uncertain events count neither way."
    ]
    protocol = result.evaluation.get("protocol")
    return [*sentences, str(protocol)] if protocol else sentences, []


def _about_software(result: Result) -> Told:
    versions = result.card.get("versions")
    if not isinstance(versions, Mapping) or not versions:
        return [], []
    main = [name for name in ("napari-tap-events", "torch", "numpy", "python") if name in versions]
    return [f"Software: {listed([f'{name} {versions[name]}' for name in main or list(versions)[:4]])}."], []
