"""The encoders of the study `pretexts`: one for each movie, game and seed, all with the same number of pixels to learn from."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_tap_events.encoder.shipped import CARD
from napari_tap_events.jobs.output import RESULT, read_json, write_json
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.jobs.trial import Trial
from napari_tap_events.jobs.try_out import ENCODERS, Bench, Row
from napari_tap_events.reports import Report
from napari_tap_events.settings import PretrainSettings, StudySettings
from napari_tap_events.settings.games import parse_games

COST = "cost.json"
LEAST = 2
"""Crop pairs of a step that every game needs."""
HELD = ("feature_spread", "feature_rank")


def game_settings(settings: StudySettings, game: str, seed: int) -> PretrainSettings:
    """Return the settings of an encoder: in each step as many pixels, whatever is played, and however many games."""
    several, chosen = len(parse_games(game)), PretrainSettings(preset=settings.preset, patch_px=settings.patch_px)
    batch = max(LEAST, settings.pretrain_batch // several)
    simulated = max(LEAST, round(batch * chosen.patch_px**2 / chosen.simulated_px**2))
    steps = {"steps": settings.pretrain_steps, "val_every": settings.pretrain_steps}
    own = {"pretext": game, "seed": seed, "batch": batch, "simulated_batch": simulated, **steps}
    return PretrainSettings.checked(**(chosen.model_dump() | own))


def game_encoder(bench: Bench, trial: Trial) -> Generator[Report, None, str]:
    """Return the folder of the encoder of a trial, teaching it where that has not been done."""
    seed = trial.seed if trial.encoder_seed is None else trial.encoder_seed
    played = re.sub("[^A-Za-z0-9_]+", "-", trial.pretext)
    run = bench.part(ENCODERS, f"{played}-{trial.movie}-{seed}")
    with _counted(run.out):
        yield from pretrain([bench.labelled[0].movie], game_settings(bench.settings, trial.pretext, seed), run)
    return str(run.out)


@contextmanager
def _counted(folder: Path) -> Iterator[None]:
    """Add up the processor time of an encoder over all times that it was stopped; after a kill nobody knows it."""
    path, done = _cost_file(folder), (folder / RESULT).exists()
    before = read_json(path) or {"cpu_s": 0.0, "ended": True}
    if done:
        yield
        return
    spent, began = before["cpu_s"] if before["ended"] else None, time.process_time()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"cpu_s": spent, "ended": False})
    try:
        yield
    finally:
        write_json(path, {"cpu_s": None if spent is None else spent + time.process_time() - began, "ended": True})


def _cost_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.{COST}")


def told_by_encoder(folder: Path) -> Row:
    """Return what is known of an encoder beside its features: cost, how well its first game went, collapse, and what the probes say."""
    card = read_json(folder / CARD) or {}
    metrics, details = dict(card.get("metrics") or {}), dict(card.get("details") or {})
    probed: dict[str, Any] = dict(details.get("validity") or {})
    first = next(iter(parse_games(str(details.get("pretext", "time_arrow")))))
    row: Row = {"pretrain_cpu_s": (read_json(_cost_file(folder)) or {}).get("cpu_s")}
    row |= {name: metrics.get(name) for name in HELD}
    if first in probed:
        row |= {"game_accuracy": probed[first]["accuracy"], "game_chance": probed[first]["chance"]}
    row["warnings"] = " ".join(str(sentence) for told in probed.values() for sentence in told["warnings"])
    return row | {"warned": sum(len(told["warnings"]) for told in probed.values())}
