"""Small networks that games put on the features: they are thrown away with the game."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def pooled(z: Tensor) -> Tensor:
    """Describe feature maps (..., F, P, P) by (..., 3 F): mean, maximum and standard deviation of each feature."""
    flat = z.flatten(-2)
    return torch.cat([flat.mean(-1), flat.amax(-1), flat.std(-1)], dim=-1)


def layered(*sizes: int) -> nn.Sequential:
    """Return linear layers of such sizes with LayerNorm and ReLU between them: what a vector says does not depend on its batch."""
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(pairwise(sizes)):
        layers += [nn.LayerNorm(before), nn.ReLU()] if number else []
        layers.append(nn.Linear(before, after))
    return nn.Sequential(*layers)


def pixelwise(before: int, hidden: int, after: int, reach: int = 1) -> nn.Sequential:
    """Return two convolutions, the first `reach` pixels wide to each side, that map (B, before, P, P) to (B, after, P, P)."""
    first = nn.Conv2d(before, hidden, 2 * reach + 1, padding=reach)
    return nn.Sequential(first, nn.LeakyReLU(0.01), nn.Conv2d(hidden, after, 1))


def faint(head: nn.Sequential) -> nn.Sequential:
    """Let the last layer say almost nothing at first, so that what it is added to stands; not nothing, or no gradient would pass."""
    last = head[-1]
    with torch.no_grad():
        for weight in last.parameters():
            weight.mul_(0.01)
    return head


def accuracy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the share of right answers: logits (B, K), target (B,); where several answers are equally strong, their share."""
    best = logits == logits.amax(1, keepdim=True)
    right = best.gather(1, target[:, None])[:, 0].float()
    return (right / best.sum(1)).mean()


def nt_xent(vectors: Tensor, group: Tensor, temperature: float, strangers: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Tell partners among others (NT-Xent; Chen et al. 2020, SimCLR, equation 1).

    Parameters
    ----------
    vectors : (2 N, D) float32
        Number i and number i + N are partners.
    group : (N,) int64
        Only those of the same group are compared.
    temperature : float
    strangers : (N, D) float32, optional
        One more vector for each pair that is no partner.

    Returns
    -------
    loss, accuracy : scalar tensors
        The accuracy is that of finding the partner in the group, strangers left out.
    """
    many = len(vectors)
    unit = F.normalize(vectors, dim=1, eps=1e-6)
    alike = unit @ unit.T / temperature
    groups = group.repeat(2)
    closed = (groups[:, None] != groups) | torch.eye(many, dtype=torch.bool, device=vectors.device)
    alike = alike.masked_fill(closed, -torch.inf)
    target = torch.arange(many, device=vectors.device).roll(many // 2)
    found = accuracy(alike.detach(), target)
    if strangers is not None:
        own = (unit * F.normalize(strangers, dim=1, eps=1e-6).repeat(2, 1)).sum(1, keepdim=True) / temperature
        alike = torch.cat([alike, own], 1)
    return F.cross_entropy(alike, target), found
