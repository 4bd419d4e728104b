"""Order: crops of one place at several times are shuffled; sort them, say whether they are in order, or find the row that is not.

Verify: Misra, Zitnick, Hebert 2016 (Shuffle and Learn, arXiv 1603.08561); sort: Lee et al. 2017 (arXiv 1708.01246), 4!/2 = 12 classes,
an order and its reverse being one; odd-one-out: Fernando et al. 2017 (arXiv 1611.06646). Here every answer is made of one number for two
crops, c(i, j): how well j follows i. The score of an order is the sum over its neighbours, so that showing the crops in another order
permutes the answers exactly. c is symmetric, and an order and its reverse score the same, unless `directed`.
"""

from __future__ import annotations

from itertools import permutations
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._heads import accuracy, pixelwise
from napari_tap_events.pretext.contract import Batch, Encode, Game, Loss, Sample
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.game_settings import OrderSettings
from napari_tap_events.settings.games import GAMES

ROWS = 3
"""Rows of crops of which one is odd."""
IN_ORDER = 0.25
"""Share of rows in order where that is asked (Shuffle and Learn, section 3.2)."""
STRIDE = 2


class Order(Game):
    """The rules of `order`."""

    facts = GAMES["order"]

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__(settings, own, encoder)
        self.own = cast(OrderSettings, own)
        self.shown = 4 if self.own.mode == "sort" else 3
        self.compare = pixelwise(2 * self.features, 2 * self.features, 1, reach=0)
        self.bias = torch.nn.Parameter(torch.zeros(()))
        self.orders = orders(self.shown, self.own.directed)

    @property
    def chance(self) -> float:
        """Accuracy of one who guesses."""
        return {"sort": 1 / len(self.orders), "verify": 0.5, "odd": 1 / ROWS}[self.own.mode]

    def sample(self) -> Sample:
        """Three or four frames, evenly spaced; rows among which one is odd come from the same frames."""
        offsets = tuple(tuple(gap * n for n in range(self.shown)) for gap in self.own.gaps)
        together = ROWS if self.own.mode == "odd" else 1
        return Sample(offsets, self.augmented_window_px(), self.shown * self.patch_px**2, together)

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Shuffle the crops; the target is the order that puts them right, or whether they are in order."""
        crops = self.augmented(windows, generator, strength)
        target = self._drawn_target(len(crops), generator)
        shuffled = crops[torch.arange(len(crops), device=crops.device)[:, None], self._shown_order(target, generator)]
        if self.own.mode == "odd":
            target = target.view(-1, ROWS).argmax(1)
        return {"crops": shuffled, "target": target}

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the cross entropy of the right answer."""
        follows = self.follows(encode(batch["crops"]))
        target = batch["target"]
        if self.own.mode == "sort":
            logits = self.scores(follows)
            return Loss(F.cross_entropy(logits, target), {"accuracy": accuracy(logits, target)})
        good = in_order(follows)
        if self.own.mode == "odd":
            logits = -good.view(-1, ROWS)
            return Loss(F.cross_entropy(logits, target), {"accuracy": accuracy(logits, target)})
        wrong = (target == 1).float()
        logit = self.bias - good
        return Loss(F.binary_cross_entropy_with_logits(logit, wrong), {"accuracy": _balanced(logit, wrong)})

    def follows(self, z: Tensor) -> Tensor:
        """Return c (B, S, S): how well crop j follows crop i, of features z (B, S, F, P, P)."""
        coarse = F.avg_pool2d(z.flatten(0, 1), STRIDE, ceil_mode=True).unflatten(0, z.shape[:2])
        first, second = torch.combinations(torch.arange(z.shape[1], device=z.device)).T
        a, b = coarse[:, first].flatten(0, 1), coarse[:, second].flatten(0, 1)
        c = z.new_zeros(len(z), z.shape[1], z.shape[1])
        if self.own.directed:
            c[:, first, second] = self._compared(a, b).view(len(z), -1)
            c[:, second, first] = self._compared(b, a).view(len(z), -1)
            return c
        both = self._compared(a + b, (a - b).abs()).view(len(z), -1)
        c[:, first, second], c[:, second, first] = both, both
        return c

    def scores(self, follows: Tensor) -> Tensor:
        """Return the score of every order (B, K): the sum over its neighbours."""
        steps = self.orders.to(follows.device)
        return follows[:, steps[:, :-1], steps[:, 1:]].sum(2)

    def _compared(self, a: Tensor, b: Tensor) -> Tensor:
        answer: Tensor = self.compare(torch.cat([a, b], 1)).mean((1, 2, 3))
        return answer

    def _drawn_target(self, count: int, generator: torch.Generator) -> Tensor:
        device = generator.device
        if self.own.mode == "sort":
            return torch.randint(len(self.orders), (count,), generator=generator, device=device)
        if self.own.mode == "verify":
            return (torch.rand(count, generator=generator, device=device) >= IN_ORDER).long()
        odd = torch.randint(ROWS, (count // ROWS,), generator=generator, device=device)
        return F.one_hot(odd, ROWS).flatten()

    def _shown_order(self, target: Tensor, generator: torch.Generator) -> Tensor:
        """Return which frame is shown at each place (B, S)."""
        backwards = torch.rand(len(target), generator=generator, device=target.device) < 0.5
        if self.own.mode == "sort":
            shown = self.orders.to(target.device)[target].argsort(1)
            return shown if self.own.directed else torch.where(backwards[:, None], _reversed_frames(shown), shown)
        other_wrong = torch.rand(len(target), generator=generator, device=target.device) < 0.5
        rows = torch.tensor([[0, 1, 2], [1, 0, 2], [0, 2, 1]], device=target.device)
        shown = rows[target * (1 + other_wrong.long())]
        return torch.where(backwards[:, None], shown.flip(1), shown)


def orders(shown: int, directed: bool) -> Tensor:
    """Return the orders (K, shown) of crops; of an order and its reverse only one, unless directed."""
    every = [row for row in permutations(range(shown)) if directed or row[0] < row[-1]]
    return torch.tensor(every)


def in_order(follows: Tensor) -> Tensor:
    """Return how well three crops are in order (B,): the middle one goes with both others, and these go with each other less."""
    return (follows[:, 0, 1] + follows[:, 1, 2]) / 2 - follows[:, 0, 2]


def _reversed_frames(shown: Tensor) -> Tensor:
    """Show the last frame in place of the first, and so on: the same order read backwards."""
    return shown.shape[1] - 1 - shown


def _balanced(logit: Tensor, wrong: Tensor) -> Tensor:
    """Return the mean of the shares of right answers among rows in order and others; a class that is missing counts as a guess."""
    right = ((logit > 0).float() == wrong).float()
    right = torch.where(logit == 0, torch.full_like(right, 0.5), right)
    shares = [(right * side).sum() / side.sum() if side.any() else right.new_tensor(0.5) for side in (wrong, 1 - wrong)]
    return torch.stack(shares).mean()
