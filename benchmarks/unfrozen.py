"""Whether a head finds more on features of several depths, or where the encoder goes on learning with it at a low rate.

    python benchmarks/unfrozen.py ENCODER... --movie MOVIE.tif --masks MASKS.tif --events EVENTS.csv --out DIR [--seeds 1] [--threads 1]

An encoder is a folder that `pretrain` wrote with a U-Net, or `shipped`. Three rows for each, features alone, out of fold over blocks of
time, all with the same tiles and steps:

- frozen: the features as they are;
- several depths: those of the U-Net's two coarser levels beside them, upsampled, each divided by its standard deviation in the first
  frame;
- fine-tuned: all weights of the encoder go on with the head, at a tenth of its rate, or at `--share`; what the norms know of the movies
  that taught them stays.

AP needs no threshold; thresholds are not nested here, so F1 flatters. Finished rows are kept. Prints a table, and writes it to DIR.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.features import EncoderFeatures, FeatureSource
from napari_tap_events.encoder.shipped import encoder_folder
from napari_tap_events.encoder.unet import Encoder, pad_to_multiple
from napari_tap_events.encoder.weights import load_card, load_encoder
from napari_tap_events.events.end_to_end import CONTEXT_PX, EndToEnd
from napari_tap_events.events.head import EventHead
from napari_tap_events.jobs import teaching
from napari_tap_events.jobs import train as training
from napari_tap_events.jobs.labelled import Labelled
from napari_tap_events.jobs.output import Run
from napari_tap_events.settings import ComputeSettings, HeadSettings

HEAD: dict[str, Any] = {"folds": 4, "nested": False, "crop_px": 24, "batch": 4, "tile_px": 64, "steps": 200}
ALONE: dict[str, Any] = {"features": True, "arrow": False, "intensity": False, "simulated": False}


class SeveralDepths(EncoderFeatures):
    """Features z, and beside them what the two coarser levels of the way up hold."""

    def __init__(self, encoder: Encoder, compute: Compute) -> None:
        super().__init__(encoder, None, compute)
        self._seen: list[Tensor] = []
        self._sizes: list[float] = []
        for block in list(self.encoder.unet.up)[:-1]:
            block.register_forward_hook(lambda _block, _given, said: self._seen.append(said))
        with torch.no_grad():
            self.encoder(torch.zeros(1, encoder.channels, 64, 64, device=compute.device))
        self.features = encoder.features + sum(level.shape[1] for level in self._seen)

    @torch.no_grad()
    def frame(self, image: Tensor) -> Tensor:
        """Map a normalised frame (C, H, W) to (F + all coarser channels, H, W), the frame as a whole."""
        height, width = image.shape[-2:]
        padded = pad_to_multiple(image[None])
        self._seen.clear()
        z = self.encoder(padded)
        coarse = [F.interpolate(level, padded.shape[-2:], mode="bilinear", align_corners=False) for level in self._seen]
        self._sizes = self._sizes or [float(level.std()) or 1.0 for level in coarse]
        scaled = [level / size for level, size in zip(coarse, self._sizes, strict=True)]
        return torch.cat([z, *scaled], 1)[0, :, :height, :width]

    def fingerprint(self) -> str:
        """Return that of the encoder, and that it is not its own."""
        return f"depths-{super().fingerprint()}"


class SlowlyTuned(EndToEnd):
    """Encoder and head as one, in which what the encoder learns is counted `share` times."""

    def __init__(self, encoder: Encoder, head: EventHead, share: float) -> None:
        super().__init__(encoder.requires_grad_(False), head)
        self.share = share
        self.begun = {name: value.clone() for name, value in encoder.named_parameters()}
        self.moved = nn.ParameterList([torch.zeros_like(value) for value in self.begun.values()])

    def weights(self) -> dict[str, Tensor]:
        """Return the encoder's weights as they are now."""
        pairs = zip(self.begun.items(), self.moved, strict=True)
        return {name: value + self.share * moved for (name, value), moved in pairs}

    def forward(self, images: Tensor, pairs: Tensor) -> Tensor:
        """Return the logits (B, K, rows, columns) of the windows in images (B, 2, C, H, W)."""
        z = functional_call(self.encoder, self.weights(), images.flatten(0, 1))[
            ..., CONTEXT_PX:-CONTEXT_PX, CONTEXT_PX:-CONTEXT_PX
        ]
        maps = F.avg_pool2d(z, self.head.shape.map_stride_px).unflatten(0, images.shape[:2])
        return cast(Tensor, self.head(maps, pairs))

    def train(self, mode: bool = True) -> SlowlyTuned:
        """Keep the norms as they are, and write down what was learned when it is over."""
        super().train(mode)
        self.encoder.eval()
        if not mode:
            self.encoder.load_state_dict({k: v.detach() for k, v in self.weights().items()}, strict=False)
        return self


@contextmanager
def frozen(_folder: Path, _share: float) -> Iterator[dict[str, Any]]:
    yield {}


@contextmanager
def several_depths(folder: Path, _share: float) -> Iterator[dict[str, Any]]:
    def source(_name: str, _movies: Any, _preset: Any, _seed: int, compute: Compute) -> FeatureSource:
        return SeveralDepths(load_encoder(folder)[0].encoder, compute)

    with patch.object(training, "feature_source", source):
        yield {}


@contextmanager
def fine_tuned(folder: Path, share: float) -> Iterator[dict[str, Any]]:
    made = teaching._begun

    def begun(room: teaching.Classroom, tiles: Any) -> teaching.Begun:
        head = made(room, tiles).head
        return teaching.Begun(SlowlyTuned(load_encoder(folder)[0].encoder, head, share).to(room.compute.device), tiles)

    with patch.object(teaching, "_begun", begun):
        yield {"encoder": "scratch", "preset": load_card(folder, "encoder").settings["preset"]}


ROWS: dict[str, Callable[[Path, float], Any]] = {
    "frozen": frozen,
    "several depths": several_depths,
    "fine-tuned": fine_tuned,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders", nargs="+")
    parser.add_argument("--movie", type=Path, required=True)
    parser.add_argument("--masks", type=Path, required=True)
    parser.add_argument("--events", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args()
    rows = [one(encoder, row, seed, given) for encoder in given.encoders for row in ROWS for seed in range(given.seeds)]
    lines = ["| encoder | head | seeds | AP | F1 |", "|---|---|---|---|---|"]
    for encoder in given.encoders:
        for row in ROWS:
            mine = [one for one in rows if (one["encoder"], one["row"]) == (Path(encoder).name, row)]
            ap, f1 = (" ".join(f"{one[name]:.2f}" for one in mine) for name in ("ap", "f1"))
            mean = statistics.mean(one["ap"] for one in mine)
            lines.append(f"| {Path(encoder).name} | {row} | {len(mine)} | {mean:.2f} ({ap}) | {f1} |")
    (given.out / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def one(encoder: str, row: str, seed: int, given: argparse.Namespace) -> dict[str, Any]:
    """Return the numbers of a row and seed, computing what is not there yet."""
    name = f"{Path(encoder).name}-{row.replace(' ', '-')}-{seed}"
    path = given.out / f"{name}.json"
    if not path.exists():
        folder = encoder_folder(encoder)
        with ROWS[row](folder, given.share) as changes:
            about = {"encoder": str(folder), "seed": seed, **HEAD, **(ALONE if "encoder" not in changes else {}), **changes}
            run = Run(given.out / name, overwrite=True, compute=ComputeSettings(device="cpu", threads=given.threads))
            for _ in training.train([Labelled(given.movie, given.masks, given.events)], HeadSettings(**about), run):
                pass
        score = json.loads((given.out / name / "evaluation.json").read_text())["score"]
        told = {"encoder": Path(encoder).name, "row": row, "seed": seed, "f1": score["f1"], "ap": score["average_precision"]}
        path.write_text(json.dumps(told))
    told = cast("dict[str, Any]", json.loads(path.read_text()))
    print(told, flush=True)
    return told


if __name__ == "__main__":
    main()
