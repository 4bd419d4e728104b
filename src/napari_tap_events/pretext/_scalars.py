"""Six numbers of a crop, and how far they alone would go in a game: a linear rule that sees no picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

SCALARS: dict[str, tuple[int, ...]] = {"brightness": (0, 2, 3), "noise or contrast": (1,), "focus": (4,), "shift": (5, 6)}
"""What the numbers stand for."""
RIDGE = 0.01
STEPS = 60


def scalars(crops: Tensor) -> Tensor:
    """Return numbers (B, S, 7) of crops (B, S, C, P, P): mean, sd, 1st and 99th percentile, focus, and the shift from the crop before."""
    flat = crops.mean(2).flatten(2)
    low, high = torch.quantile(flat, torch.tensor([0.01, 0.99], device=crops.device), dim=2)
    sd = flat.std(2)
    grey = crops.mean(2)
    edges = 4 * grey[..., 1:-1, 1:-1] - grey[..., 2:, 1:-1] - grey[..., :-2, 1:-1] - grey[..., 1:-1, 2:] - grey[..., 1:-1, :-2]
    focus = (edges.flatten(2).var(2) / sd.square().clamp(min=1e-8)).clamp(min=1e-6).log()
    return torch.cat([torch.stack([flat.mean(2), sd, low, high, focus], 2), shifts(grey)], 2)


def shifts(grey: Tensor) -> Tensor:
    """Return by how much each of (B, S, P, P) has moved against the one before, (B, S, 2), pixels; 0 for the first."""
    side = grey.shape[-1]
    window = torch.hann_window(side, device=grey.device)
    spectra = torch.fft.rfft2((grey - grey.mean((-1, -2), keepdim=True)) * window[:, None] * window)
    cross = spectra[:, 1:] * spectra[:, :-1].conj()
    match = torch.fft.irfft2(cross / cross.abs().clamp(min=1e-9).sqrt(), s=(side, side)).flatten(2)
    best = match.argmax(2)
    moved = torch.stack([best // side, best % side], 2)
    moved = ((moved + side // 2) % side - side // 2).float()
    return torch.cat([torch.zeros_like(moved[:, :1]), moved], 1)


def linear_accuracy(taught: tuple[Tensor, Tensor], asked: tuple[Tensor, Tensor], classes: int, columns: Sequence[int]) -> float:
    """Return the accuracy, 0..1, of a logistic rule on some of the numbers.

    Parameters
    ----------
    taught, asked : (numbers (N, S, 7), target (N,) int64)
        To fit it by, and to judge it by.
    classes : int
    columns : sequence of int
        Which of the numbers it may use.
    """
    mine, theirs = (numbers[..., list(columns)].flatten(1).double().cpu() for numbers, _ in (taught, asked))
    target, answer = taught[1].cpu(), asked[1].cpu()
    mean, sd = mine.mean(0), mine.std(0).clamp(min=1e-9)
    mine, theirs = (mine - mean) / sd, (theirs - mean) / sd
    weight = torch.zeros(mine.shape[1] + 1, classes, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(mine @ weight[1:] + weight[0], target) + RIDGE * weight[1:].square().sum()
        loss.backward()
        return loss

    with torch.enable_grad():
        optimiser.step(closure)
    guess = (theirs @ weight.detach()[1:] + weight.detach()[0]).argmax(1)
    return float((guess == answer).float().mean())
