"""Make the encoder that comes with the program: train it, and put it into the package.

    python benchmarks/shipped.py train --out DIR [--steps 2000] [--crop-px 96] [--from shipped] [--learning-rate 1e-3] [--seed 0]
                                       [--movies A.tif B.tif] [--threads 2] [--device auto]
    python benchmarks/shipped.py average DIR_A DIR_B ... --out DIR
    python benchmarks/shipped.py install --out DIR [--note "..."]

`average` takes the mean of the weights of encoders that went on from the same one; what single runs learned by chance falls out
(Wortsman et al. 2022, "Model soups", arXiv 2203.05482). Norms and metrics are measured anew.

Without movies the game `simulated` is played alone: no picture of anybody enters, so no licence but our own applies. With movies the
time arrow is played on them beside; name only movies whose licence allows it, and none that you want to judge by. The same command goes
on where it was stopped, and runs on a GPU where there is one.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import time
from pathlib import Path
from typing import Any

import torch

from napari_tap_events.encoder.compute import compute_for
from napari_tap_events.encoder.shipped import CARD, SHIPPED, WEIGHTS, encoder_folder
from napari_tap_events.encoder.weights import load_card, load_encoder, save_model
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.pretext.simulated import Simulated
from napari_tap_events.settings import ComputeSettings, PretrainSettings

RECIPE = {"preset": "unet16", "val_every": 200}
PIXELS = 10 * 96**2
"""Of all crops of a step: small crops are many."""
ALONE = {"pretext": "simulated"}
WITH_MOVIES = {"pretext": "simulated:1,time_arrow:0.3", "batch": 12, "synthetic_movies": 16}
COST = "cost.json"
LICENCE = "BSD-3-Clause, as the program"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["train", "average", "install"])
    parser.add_argument("trained", type=Path, nargs="*", help="What to average.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--crop-px", type=int, default=96)
    parser.add_argument("--from", dest="start_from", default="", help="An encoder to go on from; be gentle with it.")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--movies", type=Path, nargs="*", default=[])
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--note", default="", help="What the card shall say of this run besides.")
    given = parser.parse_args()
    if given.what == "train":
        train(given)
    elif given.what == "average":
        if len(given.trained) < 2:
            parser.error("an average needs two encoders or more: name their folders.")
        average(given.trained, given.out, ComputeSettings(device=given.device, threads=given.threads))
    else:
        install(given.out, given.note)


def train(given: argparse.Namespace) -> None:
    games: dict[str, Any] = dict(WITH_MOVIES if given.movies else ALONE)
    games |= {"simulated_px": given.crop_px, "simulated_batch": round(PIXELS / given.crop_px**2)}
    games |= {"start_from": given.start_from, "learning_rate": given.learning_rate}
    settings = PretrainSettings(**{**RECIPE, **games}, steps=given.steps, seed=given.seed)
    compute = ComputeSettings(device=given.device, threads=given.threads)
    run = Run(given.out, resume=(given.out / "started.json").exists(), compute=compute)
    started, cpu = time.monotonic(), time.process_time()
    for report in pretrain(given.movies, settings, run):
        if "val_ap_simulated" in report.values:
            print(
                f"{time.monotonic() - started:.0f} s",
                report.done,
                {k: round(v, 4) for k, v in report.values.items()},
                flush=True,
            )
    minutes = {"wall_minutes": (time.monotonic() - started) / 60, "cpu_minutes": (time.process_time() - cpu) / 60}
    (given.out / COST).write_text(json.dumps({**minutes, "machine": platform.machine(), "torch": torch.__version__}))


def average(trained: list[Path], out: Path, compute: ComputeSettings) -> None:
    """Write the mean of all weights as an encoder of its own, its norms and metrics measured by the settings of the first."""
    loaded = [load_encoder(folder) for folder in trained]
    (model, card), states = loaded[0], [one.state_dict() for one, _ in loaded]
    mean = {name: torch.stack([state[name].double() for state in states]).mean(0) for name in states[0]}
    model.load_state_dict({name: value.to(states[0][name].dtype) for name, value in mean.items()})
    settings = PretrainSettings(**card.settings)
    learner = Simulated(model, settings, compute_for(compute))
    learner.settle((settings.steps or 1) - 1)
    made_of = [{"name": other.name, "settings": named(other.settings), "metrics": other.metrics} for _, other in loaded]
    told = {"name": out.name, "metrics": dict(learner.validate()), "details": {**card.details, "average_of": made_of}}
    save_model(out, model.state_dict(), card.model_copy(update=told))
    costs = [json.loads((folder / COST).read_text()) for folder in trained]
    minutes = {key: sum(cost[key] for cost in costs) for key in ("wall_minutes", "cpu_minutes")}
    (out / COST).write_text(json.dumps({**costs[0], **minutes}))
    print(out, told["metrics"])


def named(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings without the folders of this machine."""
    return {**settings, "start_from": Path(settings["start_from"]).name}


def install(trained: Path, note: str) -> None:
    """Copy weights and card into the package; the card tells the recipe and the licence."""
    card = load_card(trained, "encoder")
    cost = json.loads((trained / COST).read_text()) if (trained / COST).exists() else {}
    about = {
        "recipe": "benchmarks/shipped.py; all settings are in this card",
        "data": "simulated movies, made from the seed" + "".join(f"; {movie.name}" for movie in card.movies),
        "licence": LICENCE,
        "cost": cost,
        **({"note": note} if note else {}),
    }
    folder = encoder_folder(SHIPPED)
    folder.mkdir(exist_ok=True)
    shutil.copyfile(trained / WEIGHTS, folder / WEIGHTS)
    told = card.model_copy(update={"name": SHIPPED, "settings": named(card.settings), "details": {**card.details, **about}})
    (folder / CARD).write_text(told.model_dump_json(indent=2) + "\n", encoding="utf-8")
    print(f"{folder}: {(folder / WEIGHTS).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
