"""What a step of the game `simulated` costs, part by part, in CPU seconds of one thread.

python benchmarks/simulated_cost.py [--steps 5] [--movies 12]
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.pair_head import STRIDE
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.pretext import simulated
from napari_tap_events.pretext._scenes import scene_of, training_scene
from napari_tap_events.settings import PretrainSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--movies", type=int, default=12)
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings, compute = PretrainSettings(), Compute(torch.device("cpu"))
    began = time.process_time()
    scenes = [scene_of(training_scene(1, number, None), compute.device) for number in range(given.movies)]
    movie_s = (time.process_time() - began) / given.movies
    model = ArrowEncoder(1, settings, arrow=False, simulated=True).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(model.parameters())
    drawing, learning = [], []
    for step in range(given.steps):
        began = time.process_time()
        batch = simulated.drawn(scenes, settings.simulated_batch, settings.simulated_px, compute.generator(0, step))
        drawing.append(time.process_time() - began)
        began = time.process_time()
        z = model.encoder(batch.pairs.flatten(0, 1)).unflatten(0, batch.pairs.shape[:2])
        area = batch.area_px / STRIDE**2
        simulated.focal_events(model.simulated.logits(z), simulated.at_half(batch.targets), area).backward()
        optimiser.step()
        learning.append(time.process_time() - began)
    draw_s, learn_s = statistics.median(drawing), statistics.median(learning)
    made_s = movie_s / settings.simulated_renew
    print(f"a movie {movie_s:.2f} s, so {made_s:.3f} s a step; crops {draw_s:.3f} s; network {learn_s:.3f} s")
    share = (made_s + draw_s) / (made_s + draw_s + learn_s)
    print(
        f"data: {share:.0%} of the CPU time of a step, {draw_s / (draw_s + learn_s):.0%} where a second core makes the movies"
    )


if __name__ == "__main__":
    main()
