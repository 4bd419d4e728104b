"""Make the encoder that comes with the program: train it, and put it into the package.

    python benchmarks/shipped.py train --out DIR [--steps 2000] [--crop-px 96] [--from shipped] [--learning-rate 1e-3] [--seed 0]
                                       [--movies A.tif B.tif] [--threads 2] [--device auto]
    python benchmarks/shipped.py practise --from DIR --out DIR [--scenes 200] [--seed 0] [--threads 2]
    python benchmarks/shipped.py average DIR_A DIR_B ... --out DIR
    python benchmarks/shipped.py install --out DIR [--note "..."]

`practise` lets the pair head alone go on. The encoder stays as it is, so the features of a simulated movie are computed once, and its frame
pairs are shown whole: all that could be taken for an event is in them, most of which crops around events leave out.

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_tap_events.encoder.compute import compute_for
from napari_tap_events.encoder.pair_head import STRIDE
from napari_tap_events.encoder.shipped import CARD, SHIPPED, WEIGHTS, encoder_folder
from napari_tap_events.encoder.unet import Encoder, folded
from napari_tap_events.encoder.weights import Card, load_card, load_encoder, save_model
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.pretext._appearance import another_microscope
from napari_tap_events.pretext._scenes import scene_of, training_scene
from napari_tap_events.pretext.simulated import BACKWARDS, Simulated, at_half, focal_events
from napari_tap_events.settings import ComputeSettings, PretrainSettings

RECIPE = {"preset": "unet16", "val_every": 200}
PIXELS = 10 * 96**2
"""Of all crops of a step: small crops are many."""
ALONE = {"pretext": "simulated"}
WITH_MOVIES = {"pretext": "simulated:1,time_arrow:0.3", "batch": 12, "synthetic_movies": 16}
AT_HAND, SHOWN, PAIRS = 24, 3, 6
"""Movies that a head practises on at a time; how many of them a step shows, and frame pairs of each."""
REPLAYS = 4
"""Steps for each new movie."""
PRACTICE = 7_000_000
"""Added to the seed: no training and no validation draws the same movies."""
EMPTY = 0.35
"""How often a frame pair without an event is shown, where one with events is shown `1 + EMPTY` times."""
COST = "cost.json"
HISTORY = ("average_of", "cost", "note")
"""What a card says of the making of its encoder."""
LICENCE = "BSD-3-Clause, as the program"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["train", "practise", "average", "install"])
    parser.add_argument("trained", type=Path, nargs="*", help="What to average.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--scenes", type=int, default=200, help="Simulated movies to practise on.")
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
    elif given.what == "practise":
        practise(given)
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
    write_cost(given.out, started, cpu)


def write_cost(out: Path, started: float, cpu: float) -> None:
    """Write what it took since `time.monotonic()` and `time.process_time()` were these."""
    minutes = {"wall_minutes": (time.monotonic() - started) / 60, "cpu_minutes": (time.process_time() - cpu) / 60}
    (out / COST).write_text(json.dumps({**minutes, "machine": platform.machine(), "torch": torch.__version__}))


@dataclass(frozen=True)
class Shown:
    """A simulated movie as its features.

    Attributes
    ----------
    halves : (T, F, h, w) float32
        At the resolution of the pair head.
    targets : (T-1, h, w) uint8
    area_px : float
        Typical area of an event, pixels of the targets.
    """

    halves: Tensor
    targets: Tensor
    area_px: float


def practise(given: argparse.Namespace) -> None:
    """Teach the pair head on whole frames of movies that come one after the other, each shown some times together with those before."""
    started, cpu = time.monotonic(), time.process_time()
    torch.set_num_threads(given.threads or torch.get_num_threads())
    compute = compute_for(ComputeSettings(device=given.device, threads=given.threads))
    model, card = load_encoder(encoder_folder(given.start_from))
    model.to(compute.device).eval().requires_grad_(False)
    encoder = folded(model.encoder).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    head = model.simulated
    if head is None:
        raise SystemExit(f"'{given.start_from}' has no pair head to practise.")
    head.requires_grad_(True)
    optimizer = torch.optim.AdamW(head.parameters(), lr=given.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, given.learning_rate, total_steps=given.scenes * REPLAYS + 1, pct_start=0.1
    )
    rng = np.random.default_rng([given.seed, 23])
    at_hand: list[Shown] = []
    losses: list[float] = []
    for number in range(given.scenes):
        at_hand = [*at_hand, shown(encoder, given.seed, number, compute.device)][-AT_HAND:]
        head.train()
        for _ in range(REPLAYS):
            first, second, targets, area = drawn_pairs([at_hand[n] for n in rng.integers(0, len(at_hand), SHOWN)], rng)
            loss = focal_events(head.logits_of_halves(first, second), targets, area)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        if (number + 1) % 20 == 0:
            print(f"{time.monotonic() - started:.0f} s", number + 1, f"loss {np.mean(losses[-20 * REPLAYS :]):.4f}", flush=True)
    model.eval()
    learner = Simulated(model, PretrainSettings(**card.settings), compute)
    practised = {"from": card.name, "scenes": given.scenes, "learning_rate": given.learning_rate, "seed": given.seed}
    about = {"name": given.out.name, "metrics": dict(learner.validate()), "details": {**card.details, "practised": practised}}
    save_model(given.out, model.state_dict(), card.model_copy(update=about))
    write_cost(given.out, started, cpu)
    print(given.out, about["metrics"])


@torch.no_grad()
def shown(encoder: Encoder, seed: int, number: int, device: torch.device) -> Shown:
    """Make movie `number` of a seed, seen through another microscope, and compute its features."""
    scene = scene_of(training_scene(seed + PRACTICE, number, None), device)
    frames, height, width = len(scene.targets) + 1, *scene.targets.shape[-2:]
    at = torch.arange(frames, device=device)
    whole = scene.movie.windows(at[:, None], torch.tensor([[height // 2, width // 2]], device=device).repeat(frames, 1), height)
    generator = torch.Generator(device).manual_seed(seed * 100_003 + number)
    seen = another_microscope(whole.transpose(0, 1), generator)[0]
    halves = torch.cat(
        [F.avg_pool2d(encoder(frame[None]), STRIDE) for frame in seen.contiguous(memory_format=torch.channels_last)]
    )
    return Shown(halves, at_half(scene.targets), scene.area_px / STRIDE**2)


def drawn_pairs(movies: list[Shown], rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw frame pairs, turned and mirrored, some of them backwards: features of both frames, targets, and the area of an event."""
    parts = []
    for movie in movies:
        weights = (movie.targets > 0).flatten(1).any(1).cpu().numpy() + EMPTY
        t = torch.from_numpy(rng.choice(len(weights), PAIRS, p=weights / weights.sum()))
        back = torch.from_numpy(rng.random(PAIRS) < BACKWARDS)
        turns, mirrored = int(rng.integers(4)), bool(rng.random() < 0.5)
        targets = movie.targets[t].clone()
        targets[back] = 0
        pair = movie.halves[torch.where(back, t + 1, t)], movie.halves[torch.where(back, t, t + 1)], targets
        turned = [torch.rot90(part.flip(-1) if mirrored else part, turns, (-2, -1)) for part in pair]
        parts.append((*turned, torch.full((PAIRS,), movie.area_px, device=targets.device)))
    first, second, targets, area = (torch.cat(group) for group in zip(*parts, strict=True))
    return first, second, targets, area


def average(trained: list[Path], out: Path, compute: ComputeSettings) -> None:
    """Write the mean of all weights as an encoder of its own, its norms and metrics measured by the settings of the first."""
    loaded = [load_encoder(folder) for folder in trained]
    (model, card), states = loaded[0], [one.state_dict() for one, _ in loaded]
    mean = {name: torch.stack([state[name].double() for state in states]).mean(0) for name in states[0]}
    model.load_state_dict({name: value.to(states[0][name].dtype) for name, value in mean.items()})
    settings = PretrainSettings(**card.settings)
    learner = Simulated(model, settings, compute_for(compute))
    learner.settle((settings.steps or 1) - 1)
    details = {name: told for name, told in card.details.items() if name not in (*HISTORY, "practised")}
    details |= {"average_of": [made(other) for _, other in loaded]}
    told = {"name": out.name, "metrics": dict(learner.validate()), "details": details}
    save_model(out, model.state_dict(), card.model_copy(update=told))
    costs = [json.loads((folder / COST).read_text()) for folder in trained]
    minutes = {key: sum(cost[key] for cost in costs) for key in ("wall_minutes", "cpu_minutes")}
    (out / COST).write_text(json.dumps({**costs[0], **minutes}))
    print(out, told["metrics"])


def made(card: Card) -> dict[str, Any]:
    """Return how an encoder was made, for the card of an average; of one that practised, from which it went on, and how."""
    told = HISTORY if "practised" not in card.details else ("practised",)
    history = {name: card.details[name] for name in told if name in card.details}
    return {"name": card.name, "settings": named(card.settings), "metrics": card.metrics, **history}


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
