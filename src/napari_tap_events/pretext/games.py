"""The games there are, and how several are played at once.

A game is a learner (`training.loop.Learner`) on a shared encoder: one file, and one entry below that says what it needs and how it is
set up. Whoever writes a game adds both, and the recipe, the command line and the window know it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.errors import SettingsError
from napari_tap_events.pretext._stream import LargeMovie
from napari_tap_events.pretext._views import DeviceMovie
from napari_tap_events.pretext.simulated import Simulated
from napari_tap_events.pretext.time_arrow import TimeArrow
from napari_tap_events.settings import PretrainSettings
from napari_tap_events.training.loop import Learner


@dataclass(frozen=True)
class Playground:
    """What every game is given.

    Attributes
    ----------
    model : ArrowEncoder
        The encoder, with the heads of all games that are played.
    train, val : sequences of DeviceMovie
        Frames of the user's movies (and synthetic ones beside) to learn from and to judge by.
    settings : PretrainSettings
    compute : Compute
    weights : sequence of float
        How often each of `train` is drawn from.
    """

    model: ArrowEncoder
    train: Sequence[DeviceMovie | LargeMovie]
    val: Sequence[DeviceMovie]
    settings: PretrainSettings
    compute: Compute
    weights: Sequence[float]


@dataclass(frozen=True)
class Game:
    """An entry in the list of games.

    Attributes
    ----------
    learns : str
        What the encoder learns, in one sentence.
    needs_movies : bool
        Whether it is played on the user's movies.
    monitor : function of PretrainSettings
        Name of the validation metric that is low when the game goes well.
    begin : function of Playground
        Returns the learner.
    """

    learns: str
    needs_movies: bool
    monitor: Callable[[PretrainSettings], str]
    begin: Callable[[Playground], Learner]


def _time_arrow(ground: Playground) -> Learner:
    return TimeArrow(ground.model, ground.train, ground.val, ground.settings, ground.compute, ground.weights)


def _simulated(ground: Playground) -> Learner:
    return Simulated(ground.model, ground.settings, ground.compute)


GAMES: Mapping[str, Game] = {
    "time_arrow": Game(
        "Which of two crops of a movie came first.", True, lambda s: f"val_cross_entropy_{s.sampling}", _time_arrow
    ),
    "simulated": Game("Where the events of simulated movies are.", False, lambda _: "val_loss_simulated", _simulated),
}


def parse_games(text: str) -> dict[str, float]:
    """Return the games and weights that `time_arrow:1,simulated:0.5` names; a game without a weight has 1.

    Raises
    ------
    SettingsError
        When a game is not known or named twice, or a weight is no positive number.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, colon, weight = (piece.strip() for piece in part.partition(":"))
        if name not in GAMES:
            raise SettingsError(f"pretext = '{text}' names the game '{name}'; there are: {', '.join(GAMES)}.")
        if name in found:
            raise SettingsError(f"pretext = '{text}' names the game '{name}' twice; give it one weight.")
        found[name] = _weight(text, weight) if colon else 1.0
    return found


def _weight(text: str, weight: str) -> float:
    try:
        value = float(weight)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise SettingsError(
            f"pretext = '{text}': the weight '{weight}' is no number above 0; write it as time_arrow:1,simulated:0.5."
        )
    return value


class Together:
    """Several games on one encoder: in each step each is played once, and the weighted losses are added up."""

    def __init__(self, module: nn.Module, learners: Sequence[tuple[Learner, float]]) -> None:
        self.module = module
        self.learners = learners

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the weighted sum of the losses, and all metrics."""
        metrics: dict[str, Tensor] = {}
        losses = []
        for learner, weight in self.learners:
            loss, own = learner.loss(step)
            losses.append(weight * loss)
            metrics |= own
        return torch.stack(losses).sum(), metrics

    def validate(self) -> Mapping[str, float]:
        """Return the validation metrics of all games."""
        return {name: value for learner, _ in self.learners for name, value in learner.validate().items()}


def begin(games: Mapping[str, float], ground: Playground) -> Learner:
    """Return the learner of one game as it is, or of several together."""
    learners = [(GAMES[name].begin(ground), weight) for name, weight in games.items()]
    return learners[0][0] if len(learners) == 1 else Together(ground.model, learners)
