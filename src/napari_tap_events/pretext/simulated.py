"""Simulated events: in endless made-up movies every division and death is known; find them.

The encoder and a small pair head learn to give evidence at the pixels of an event, in movies whose looks are drawn at random (domain
randomisation; Tobin et al. 2017, arXiv 1703.06907). What they learn carries over to real movies, so that the head's map finds events
there without any label.

The loss is the focal loss (Lin et al. 2017, arXiv 1708.02002), counted in events: to miss one whole event costs as much as to invent one
of the same size. Crops lie around events (divisions and deaths as often), where something moves, and anywhere; some are shown
backwards, or twice the same frame.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.pair_head import STRIDE, PairHead, seen
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.errors import ModelError
from napari_tap_events.pretext._appearance import another_microscope
from napari_tap_events.pretext._scenes import UNKNOWN, Scene, Scenes, cut, fixed_scenes, shares
from napari_tap_events.pretext._views import _reflect
from napari_tap_events.settings import Look, PretrainSettings

FOCUS = 2.0
"""Exponent gamma of the focal loss."""
AROUND_EVENTS, WHERE_IT_MOVES = 0.5, 0.3
"""Shares of the crops; the rest lies anywhere."""
BACKWARDS, STILL, JUMP = 0.08, 0.03, 0.15
"""Shares of crops that are shown in reverse order, whose two frames are the same one, and between which the stage jumps."""
JUMP_PX = 5.0
SKIPPED = 0.3
"""Share of crops whose two frames are two apart: faster cells, and a slower camera."""
SHRUNK, MAGNIFIED = 1.3, 2.2
"""Greatest factors of another magnification."""
VAL_SCENES, VAL_CROPS = 12, 96
SETTLED_BATCHES, SETTLED_PAIRS = 30, 2
"""Pairs of whole frames by which norms are measured anew at the end."""


@dataclass(frozen=True)
class Batch:
    """What one step learns from.

    Attributes
    ----------
    pairs : (B, 2, C, P, P) float32
        Normalised crop pairs.
    targets : (B, P, P) uint8
        0 nothing, 1.. the kinds, `UNKNOWN`.
    area_px : (B,) float32
        Typical area of an event at the magnification of each crop.
    """

    pairs: Tensor
    targets: Tensor
    area_px: Tensor


class Simulated:
    """The learner of the game.

    Parameters
    ----------
    model : ArrowEncoder
        With a pair head.
    settings : PretrainSettings
    compute : Compute
    """

    def __init__(self, model: ArrowEncoder, settings: PretrainSettings, compute: Compute) -> None:
        if model.simulated is None:
            raise ModelError("the game 'simulated' needs an encoder with a pair head.")
        self.module: nn.Module = model
        self.reader = Reader(model.encoder, model.simulated, compute)
        self.settings, self.compute = settings, compute
        look: Look | None = None if settings.synthetic_look == "both" else settings.synthetic_look
        self.scenes = Scenes(settings.seed, look, settings.simulated_movies, settings.simulated_renew, compute.device)
        held = fixed_scenes(settings.seed, look, VAL_SCENES, compute.device)
        self.fixed = drawn(held, VAL_CROPS, settings.simulated_px, compute.generator(settings.seed, -2), still=True)

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the focal loss, in events, for the crop pairs of this step."""
        s = self.settings
        generator = self.compute.generator(s.seed, step, 2)
        batch = drawn(self.scenes.at(step), s.simulated_batch, s.simulated_px, generator)
        logits: Tensor = self.reader(batch.pairs)
        loss = focal_events(logits, at_half(batch.targets), batch.area_px / STRIDE**2)
        return loss, {"simulated_loss": loss.detach()}

    def validate(self) -> Mapping[str, float]:
        """Return the loss, and the average precision of telling crops with an event from others, on movies that never teach."""
        with torch.no_grad():
            logits = torch.cat([self.reader(part) for part in self.fixed.pairs.split(16)])
        targets = at_half(self.fixed.targets)
        loss = focal_events(logits, targets, self.fixed.area_px / STRIDE**2)
        there = ((targets > 0) & (targets != UNKNOWN)).flatten(1).any(1)
        known = ~(targets == UNKNOWN).flatten(1).any(1)
        strongest = F.avg_pool2d(seen(logits)[:, None], 3, 1).flatten(1).max(1).values
        ap = average_precision(strongest[known], there[known])
        return {"val_loss_simulated": float(loss), "val_ap_simulated": ap}

    def settle(self, step: int) -> None:
        """Measure the means and variances of all norms anew, on whole frames of the movies of a step.

        Most of a crop lies near its border, beyond which there are zeros; most of a frame does not. By what crops left behind in the
        norms, maps of frames are worse than what was learned.
        """
        scenes = self.scenes.at(step)
        side = min(min(scene.targets.shape[-2:]) for scene in scenes)
        generators = (self.compute.generator(self.settings.seed, -3 - number) for number in range(SETTLED_BATCHES))
        update_bn((drawn(scenes, SETTLED_PAIRS, side, generator).pairs for generator in generators), self.reader)
        self.reader.eval()


class Reader(nn.Module):
    """Encoder and pair head together: crop pairs (B, 2, C, P, P) to logits (B, K, P / 2, P / 2)."""

    def __init__(self, encoder: Encoder, head: PairHead, compute: Compute) -> None:
        super().__init__()
        self.encoder, self.head, self.compute = encoder, head, compute

    def forward(self, pairs: Tensor) -> Tensor:
        """Return the logits as float32."""
        with self.compute.autocast():
            z = self.encoder(pairs.flatten(0, 1)).unflatten(0, pairs.shape[:2])
            return self.head.logits(z).float()


def focal_events(logits: Tensor, targets: Tensor, area: Tensor) -> Tensor:
    """Return the focal loss counted in events, per event shown.

    Parameters
    ----------
    logits : (B, K, h, w) float32
    targets : (B, h, w) uint8
        0 nothing, 1..K the kind, `UNKNOWN` teaches nothing.
    area : (B,) float32
        Typical area of an event in each crop, in pixels of the targets.

    Returns
    -------
    scalar tensor
        Pixels of an event weigh 1 in sum, so do pixels elsewhere on as large an area; the sum is divided by the events shown, at least one.
    """
    kinds = torch.arange(1, logits.shape[1] + 1, device=logits.device, dtype=targets.dtype).view(1, -1, 1, 1)
    there = targets[:, None] == kinds
    known = targets[:, None] != UNKNOWN
    surprise = F.softplus(torch.where(there, -logits, logits))
    focused = surprise * (1 - torch.exp(-surprise)) ** FOCUS
    own = there.sum((2, 3), keepdim=True)
    weight = torch.where(there, 1 / own.clamp(min=1), 1 / area.clamp(min=1).view(-1, 1, 1, 1))
    return (focused * weight * known).sum() / (own > 0).sum().clamp(min=1)


def at_half(targets: Tensor) -> Tensor:
    """Return targets (B, P, P) at the resolution of the pair head: the highest value of 2 x 2 pixels."""
    return F.max_pool2d(targets[:, None].float(), STRIDE, ceil_mode=True)[:, 0].to(targets.dtype)


def average_precision(scores: Tensor, there: Tensor) -> float:
    """Return the area under precision over recall of a ranking: scores (N,), truth (N,) bool; NaN where nothing is true."""
    if not bool(there.any()):
        return float("nan")
    hits = there[scores.argsort(descending=True)].float()
    precision = hits.cumsum(0) / torch.arange(1, len(hits) + 1, device=hits.device)
    return float((precision * hits).sum() / hits.sum())


def drawn(scenes: Sequence[Scene], count: int, side: int, generator: torch.Generator, still: bool = False) -> Batch:
    """Draw crop pairs from movies.

    Parameters
    ----------
    scenes : sequence of Scene
    count, side : int
        Crops, and their side in pixels.
    generator : torch.Generator
        The only source of chance.
    still : bool
        Leave them as they are, for validation: no other magnification, order or microscope.
    """
    size = side if still else 2 * round(SHRUNK * side / 2) + 2
    parts = [
        _windows(scene, n, (side, size), generator, 0.0 if still else SKIPPED)
        for scene, n in zip(scenes, shares(scenes, count, generator), strict=True)
        if n
    ]
    windows, targets, area = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
    if still:
        return Batch(windows, targets, area)
    windows, targets = _in_other_order(windows, targets, generator)
    grid, zoom = _grid(count, side, size, generator)
    pairs = F.grid_sample(windows.flatten(0, 1), grid.flatten(0, 1), "bilinear", "reflection", align_corners=True)
    there = F.grid_sample(targets[:, None].float(), grid[:, 0], "nearest", "reflection", align_corners=True)
    pairs = another_microscope(pairs.unflatten(0, windows.shape[:2]), generator)
    return Batch(pairs, there[:, 0].to(torch.uint8), area / zoom**2)


def _windows(
    scene: Scene, count: int, sides: tuple[int, int], generator: torch.Generator, skipped: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Cut windows (B, 2, C, w, w) and targets (B, w, w) for crops of sides (crop, w); the typical area of an event (B,) beside."""
    t, centre = _places(scene, count, sides[0], generator)
    u = torch.rand(2, count, generator=generator, device=generator.device)
    apart = 1 + (u[0] < skipped).long()
    t = (t - (apart - 1) * (u[1] < 0.5).long()).clamp(min=0)
    t = torch.minimum(t, len(scene.targets) - apart)
    windows = scene.movie.windows(torch.stack([t, t + apart], 1), centre, sides[1])
    first, last = (cut(scene.targets, at, centre, sides[1], _reflect) for at in (t, t + apart - 1))
    area = torch.full((count,), scene.area_px, device=generator.device)
    return windows, torch.where(first > 0, first, last), area


def _places(scene: Scene, count: int, side: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw frame pairs (B,) and centres (B, 2): around events, where it moves, anywhere; crops stay inside the frame."""
    device = generator.device
    u = torch.rand(4, count, generator=generator, device=device)
    pairs, centre = scene.motion.draw(count, generator)
    anywhere = u[0] > AROUND_EVENTS + WHERE_IT_MOVES
    height, width = scene.targets.shape[-2:]
    t = torch.where(anywhere, (u[1] * len(scene.targets)).long(), pairs[:, 0])
    spot = torch.stack([(u[2] * height).long(), (u[3] * width).long()], 1)
    centre = torch.where(anywhere[:, None], spot, centre)
    if scene.frequency.any():
        chosen = scene.events[torch.multinomial(scene.frequency, count, replacement=True, generator=generator)]
        jitter = ((torch.rand(count, 2, generator=generator, device=device) - 0.5) * 0.8 * side).long()
        at_event = u[0] < AROUND_EVENTS
        t = torch.where(at_event, chosen[:, 0], t)
        centre = torch.where(at_event[:, None], chosen[:, 1:] + jitter, centre)
    reach = torch.tensor([height, width], device=device) - side // 2
    return t, torch.minimum(centre.clamp(min=side // 2), reach)


def _in_other_order(windows: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Show some pairs backwards, and some of one frame only: there is no event in them."""
    u = torch.rand(len(windows), generator=generator, device=generator.device)
    back, same = u < BACKWARDS, (u >= BACKWARDS) & (u < BACKWARDS + STILL)
    first = torch.where(back[:, None, None, None], windows[:, 1], windows[:, 0])
    second = torch.where((back | same)[:, None, None, None], windows[:, 0], windows[:, 1])
    return torch.stack([first, second], 1), torch.where((back | same)[:, None, None], torch.zeros_like(targets), targets)


def _grid(count: int, side: int, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return sampling positions (B, 2, P, P, 2) as (x, y) in -1..1 of the window, and the zoom (B,): pixels per pixel."""
    u = torch.rand(8, count, generator=generator, device=generator.device)
    span = math.log(SHRUNK * MAGNIFIED)
    zoom = torch.where(u[0] < 0.5, torch.ones_like(u[0]), torch.exp(u[1] * span - math.log(MAGNIFIED)))
    line = torch.arange(side, device=generator.device) - (side - 1) / 2
    y, x = torch.meshgrid(line, line, indexing="ij")
    swap = (u[2] < 0.5)[:, None, None]
    a, b = torch.where(swap, x, y), torch.where(swap, y, x)
    flip_y, flip_x = (1 - 2 * (u[3:5] < 0.5).float())[:, :, None, None]
    place = torch.stack([flip_x * b, flip_y * a], -1) * zoom[:, None, None, None]
    jump = (u[5:7].T - 0.5) * 2 * JUMP_PX * (u[7] < JUMP)[:, None]
    return torch.stack([place, place + jump[:, None, None, :]], 1) * (2 / (size - 1)), zoom
