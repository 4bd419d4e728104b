"""What a step of each game costs against one of the arrow of time, per pixel that goes through the encoder, on one thread.

python benchmarks/games.py [--steps 6] [--preset unet16] [--games order,clove]
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.movies.movie import movie_from_array
from napari_tap_events.movies.synthetic import SyntheticSettings, synthesise
from napari_tap_events.pretext._views import device_movie
from napari_tap_events.pretext.games import Playground, begin
from napari_tap_events.pretext.play import Play
from napari_tap_events.settings import PretrainSettings
from napari_tap_events.settings.games import GAMES

PATCH_PX, BATCH = 48, 16
CPU = Compute(torch.device("cpu"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--preset", default="unet16")
    parser.add_argument("--games", default=",".join(name for name in GAMES if GAMES[name].needs_movies))
    given = parser.parse_args()
    torch.set_num_threads(1)
    movie = synthesise(SyntheticSettings(seed=1, frames=24, height=256, width=256)).movie
    names = ["time_arrow", *(name for name in given.games.split(",") if name != "time_arrow")]
    spent = {name: cost(name, movie, given.preset, given.steps) for name in names}
    print("| game | pixels a step | microseconds a pixel | of time_arrow |\n|---|---|---|---|")
    for name, (pixels, seconds) in spent.items():
        each = seconds / pixels
        print(f"| `{name}` | {pixels} | {1e6 * each:.2f} | {each / (spent['time_arrow'][1] / spent['time_arrow'][0]):.2f} |")


def cost(name: str, movie, preset: str, steps: int) -> tuple[int, float]:
    """Return the pixels that a step sends through the encoder, and its seconds of CPU time: the median of some steps."""
    settings = PretrainSettings(preset=preset, pretext=name, patch_px=PATCH_PX, batch=BATCH)
    torch.manual_seed(0)
    model = ArrowEncoder(1, settings, arrow=name == "time_arrow").to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    train = [device_movie(movie, range(movie.n_frames), (1,), CPU.device)]
    both = movie_from_array(np.repeat(movie.as_array(), 2, axis=1), "two channels")
    whole = [device_movie(both, range(both.n_frames), (1,), CPU.device)]
    learner = begin({name: 1.0}, Playground(model, train, [], settings, CPU, [1.0], (whole, [])))
    optimiser = torch.optim.Adam(learner.module.parameters())
    taken = []
    for step in range(steps + 1):
        began = time.process_time()
        optimiser.zero_grad(set_to_none=True)
        learner.loss(step + 1)[0].backward()
        optimiser.step()
        taken.append(time.process_time() - began)
    pixels = learner.sample.encoder_px * learner.count if isinstance(learner, Play) else 2 * BATCH * PATCH_PX**2
    return pixels, statistics.median(taken[1:])


if __name__ == "__main__":
    main()
