"""The games that are played, set up on one encoder, alone or several at once.

`settings.games` lists them; here a name becomes a learner (`training.loop.Learner`). `time_arrow` and `simulated` are learners of their
own, because their heads stay with the encoder; every other game follows `contract.Game`, in the file of its name or in another package.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

import torch
from torch import Tensor, nn

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.errors import SettingsError
from napari_tap_events.pretext._arrow_game import ArrowGame
from napari_tap_events.pretext._stream import LargeMovie
from napari_tap_events.pretext._views import DeviceMovie
from napari_tap_events.pretext.contract import Game
from napari_tap_events.pretext.play import Encoding, Play
from napari_tap_events.pretext.simulated import Simulated
from napari_tap_events.pretext.time_arrow import TimeArrow
from napari_tap_events.pretext.validity import Validity, validity
from napari_tap_events.settings import PretrainSettings
from napari_tap_events.settings.games import GAMES, GameFacts, known_games, other_games, settings_of_game
from napari_tap_events.training.loop import Learner
from napari_tap_events.training.ranks import announced


@dataclass(frozen=True)
class Playground:
    """What every game is given.

    Attributes
    ----------
    model : ArrowEncoder
        The encoder, with the heads that stay with it.
    train, val : sequences of DeviceMovie
        Frames of the user's movies (and synthetic ones beside) to learn from and to judge by.
    settings : PretrainSettings
    compute : Compute
    weights : sequence of float
        How often each of `train` is drawn from.
    whole : pair of sequences of DeviceMovie
        The user's movies with all their channels, to learn from and to judge by; empty where no game asks for them.
    """

    model: ArrowEncoder
    train: Sequence[DeviceMovie | LargeMovie]
    val: Sequence[DeviceMovie]
    settings: PretrainSettings
    compute: Compute
    weights: Sequence[float]
    whole: tuple[Sequence[DeviceMovie | LargeMovie], Sequence[DeviceMovie]] = ((), ())

    def movies_of(self, facts: GameFacts) -> tuple[Sequence[DeviceMovie | LargeMovie], Sequence[DeviceMovie], Sequence[float]]:
        """Return what a game learns from, what judges it, and how often each of the first is drawn from."""
        if facts.channels == 1:
            return self.train, self.val, self.weights
        return *self.whole, [float(len(movie.pairs)) for movie in self.whole[0]]


class Lesson(nn.Module):
    """An encoder and the heads of games that are thrown away afterwards: what is trained, and kept in checkpoints."""

    def __init__(self, model: ArrowEncoder, heads: Mapping[str, Game]) -> None:
        super().__init__()
        self.model = model
        self.heads = nn.ModuleDict(heads)


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
    made = {name: make_game(name, ground) for name in games if not _stays(name)}
    module = Lesson(ground.model, made).to(ground.compute.device) if made else ground.model
    learners = [(_learner(name, made, module, ground), weight) for name, weight in games.items()]
    return learners[0][0] if len(learners) == 1 else Together(module, learners)


def make_game(name: str, ground: Playground) -> Game:
    """Return the rules of a game with its settings and an untaught head, which follows from the seed and the name."""
    kind = game_class(name)
    if kind.alone and announced().of > 1:
        raise SettingsError(
            f"the game '{name}' is played by one process alone: start pretrain without torchrun, or choose another."
        )
    own = settings_of_game(name, kind.facts.settings, ground.settings.game_settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(zlib.crc32(repr((ground.settings.seed, name)).encode()))
        return kind(ground.settings, own, ground.model.encoder)


def game_class(name: str) -> type[Game]:
    """Return the class of a game; one of another package is imported now.

    Raises
    ------
    SettingsError
        When there is no such game, or its package cannot be imported or names something else.
    """
    if name in GAMES:
        module = import_module(f"napari_tap_events.pretext.{name}")
        found: type[Game] = getattr(module, "".join(part.capitalize() for part in name.split("_")))
        return found
    entry = other_games().get(name)
    if entry is None:
        raise SettingsError(f"there is no game '{name}'; there are: {', '.join(known_games())}.")
    try:
        loaded = entry.load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(
            f"the game '{name}' cannot be loaded from {entry.value}: {error}; repair or remove that package."
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, Game) and hasattr(loaded, "facts")):
        raise SettingsError(
            f"the game '{name}' of {entry.value} is no game: it must be a subclass of pretext.contract.Game with facts."
        )
    return loaded


def facts_of(name: str) -> GameFacts:
    """Return what is known of a game."""
    return GAMES[name] if name in GAMES else game_class(name).facts


def monitor(name: str, settings: PretrainSettings) -> str:
    """Return the validation metric that is low when a game goes well."""
    own = {"time_arrow": f"val_cross_entropy_{settings.sampling}", "simulated": "val_loss_simulated"}
    return own.get(name, f"val_{name}_loss_{settings.sampling}")


def settle(learner: Learner, step: int) -> None:
    """Do what a game does after its last step: `simulated`, played alone, measures its norms anew on whole frames.

    The time arrow does not: its map was worse with such norms as often as better.
    """
    if isinstance(learner, Simulated):
        learner.settle(step)


def probed(games: Mapping[str, float], learner: Learner, ground: Playground) -> dict[str, Validity]:
    """Ask of each game that was learned, and has an accuracy, whether it reads cells or the microscope."""
    each = [one for one, _ in learner.learners] if isinstance(learner, Together) else [learner]
    found: dict[str, Validity] = {}
    for name, one in zip(games, each, strict=True):
        game = _asked(one, ground)
        if game is not None and ground.val:
            encode = Encoding(ground.model.encoder, ground.compute)
            train, val, _ = ground.movies_of(game.facts)
            taught = [movie.load(0) if isinstance(movie, LargeMovie) else movie for movie in train]
            told = validity(name, game.eval(), encode, taught, val, ground.settings.seed)
            found |= {name: told} if told is not None else {}
    return found


def _asked(learner: Learner, ground: Playground) -> Game | None:
    if isinstance(learner, TimeArrow):
        return ArrowGame(ground.settings, ground.model)
    return learner.game if isinstance(learner, Play) else None


def _stays(name: str) -> bool:
    return name in GAMES and GAMES[name].keeps_head


def _learner(name: str, made: Mapping[str, Game], module: nn.Module, ground: Playground) -> Learner:
    if name == "simulated":
        return Simulated(ground.model, ground.settings, ground.compute)
    if name == "time_arrow":
        return TimeArrow(ground.model, ground.train, ground.val, ground.settings, ground.compute, ground.weights)
    play = Play(name, made[name], module, ground.model, ground.settings, ground.compute)
    return play.on(*ground.movies_of(made[name].facts))
