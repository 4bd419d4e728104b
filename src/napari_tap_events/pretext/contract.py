"""What a game is: how its crops are drawn, what is done to them, and the loss; everything else is the same for all.

A game gives the rules; `play.Play` plays them on movies. Its head is part of the game and thrown away afterwards. All chance comes from
the generator that it is handed, so that a seed and a step say what was seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.pretext._views import Augmentation
from napari_tap_events.settings import PretrainSettings, Settings
from napari_tap_events.settings.games import GameFacts

if TYPE_CHECKING:
    from napari_tap_events.pretext._places import Field

Encode = Callable[[Tensor], Tensor]
"""Maps crops (..., C, P, P) to features (..., F, P, P) float32: the encoder, in the precision of the run."""
Batch = Mapping[str, Tensor]
"""What a game sees in a step, by names of its own; a `target` is the class that is asked for, int64."""


@dataclass(frozen=True)
class Sample:
    """How the crops of a game are drawn.

    Attributes
    ----------
    offsets : tuple of tuples of int
        Frames of one place, counted from the first; of those that fit the movie one is drawn for each place.
    window_px : int
        Side of what is cut out of the movie: larger than the crop where it is turned.
    encoder_px : int
        Pixels that go through the encoder for one place; the batch follows from it, so that no game gets more than another.
    together : int
        So many places in a row are drawn from the same frames.
    """

    offsets: tuple[tuple[int, ...], ...]
    window_px: int
    encoder_px: int
    together: int = 1


@dataclass(frozen=True)
class Loss:
    """What is to be low, and what else is worth a curve.

    Attributes
    ----------
    total : scalar tensor
    metrics : mapping of str to scalar tensor
        `accuracy` is the share of right answers, 0..1, where there is one.
    """

    total: Tensor
    metrics: Mapping[str, Tensor] = field(default_factory=dict)


class Game(nn.Module):
    """The rules of a game.

    Parameters
    ----------
    settings : PretrainSettings
        Of the whole run.
    own : Settings
        Of this game: of the type that its facts name.
    encoder : Encoder
        To read its numbers of channels and features, or to copy it.

    Attributes
    ----------
    facts : GameFacts
        What is known of it before it is played.
    alone : bool
        Whether what it keeps from batch to batch (a slow copy, clusters) binds it to one process.
    """

    facts: ClassVar[GameFacts]
    alone: ClassVar[bool] = False

    def __init__(self, settings: PretrainSettings, own: Settings, encoder: Encoder) -> None:
        super().__init__()
        self.settings = settings
        self.patch_px = settings.patch_px
        self.features, self.channels = encoder.features, encoder.channels

    @property
    def chance(self) -> float | None:
        """Accuracy of one who guesses, 0..1; None where the game has no accuracy."""
        return None

    def sample(self) -> Sample:
        """Say how its crops are drawn."""
        raise NotImplementedError

    def views(self, windows: Tensor, generator: torch.Generator, strength: float) -> Batch:
        """Make what is seen.

        Parameters
        ----------
        windows : (B, S, C, w, w) float32
            Normalised windows, S frames of B places.
        generator : torch.Generator
            The only source of chance.
        strength : float
            Of the augmentation, 0 where it is judged; what belongs to the game itself is done in any case.
        """
        raise NotImplementedError

    def loss(self, encode: Encode, batch: Batch) -> Loss:
        """Return the loss of what `views` made."""
        raise NotImplementedError

    def before_step(self, encoder: Encoder, field: Field, step: int) -> None:
        """Prepare batch number `step`: keep a slow copy of the encoder, cluster anew. Most games have nothing to do."""

    def augmented(self, windows: Tensor, generator: torch.Generator, strength: float) -> Tensor:
        """Return crops (B, S, C, P, P), bent and lit as for the time arrow; at strength 0 the middle of the windows."""
        if strength == 0:
            return middle(windows, self.patch_px)
        return Augmentation(strength)(windows, self.patch_px, generator)

    def augmented_window_px(self) -> int:
        """Return the side of a window that `augmented` needs."""
        return Augmentation(self.settings.augmentation).window_px(self.patch_px)


def batches(settings: PretrainSettings) -> int:
    """Return how many batches a run takes in all, in one process."""
    if settings.steps:
        return settings.steps * settings.accumulate
    return max(1, math.ceil(settings.epochs * max(1, settings.pairs_per_epoch // settings.batch)))


def middle(windows: Tensor, side: int) -> Tensor:
    """Cut the middle (..., side, side) out of windows (..., w, w)."""
    start = windows.shape[-1] // 2 - side // 2
    return windows[..., start : start + side, start : start + side]
