"""The list of games: known names only, weights that count, and one game alone is what it always was."""

from __future__ import annotations

import pytest
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.errors import SettingsError
from napari_tap_events.movies.synthetic import noise_movie
from napari_tap_events.pretext._views import device_movie
from napari_tap_events.pretext.games import GAMES, Playground, Together, begin, parse_games
from napari_tap_events.pretext.time_arrow import TimeArrow
from napari_tap_events.settings import PretrainSettings

CPU = Compute(torch.device("cpu"))
SETTINGS = PretrainSettings(preset="unet8", patch_px=16, batch=4, val_pairs=8, motion_blur_px=2.0)


class Fixed:
    """A game whose loss is a number times a weight of the module."""

    def __init__(self, module: torch.nn.Linear, value: float, name: str) -> None:
        self.module, self.value, self.name = module, value, name

    def loss(self, step):
        return self.value * self.module.weight.sum() + step, {f"{self.name}_loss": torch.tensor(self.value)}

    def validate(self):
        return {f"val_{self.name}": self.value}


@pytest.mark.parametrize(
    ("text", "games"),
    [
        ("time_arrow", {"time_arrow": 1.0}),
        ("simulated:2", {"simulated": 2.0}),
        (" time_arrow:1 , simulated:0.5", {"time_arrow": 1.0, "simulated": 0.5}),
    ],
)
def test_games_and_their_weights_are_read(text, games):
    assert parse_games(text) == games


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("jigsaw", "names the game 'jigsaw'; there are: time_arrow, simulated"),
        ("", "names the game ''; there are: time_arrow, simulated"),
        ("simulated,simulated:2", "twice"),
        ("simulated:0", "the weight '0' is no number above 0"),
        ("simulated:much", "the weight 'much' is no number above 0"),
        ("simulated:inf", "the weight 'inf' is no number above 0"),
        ("simulated:", "the weight '' is no number above 0"),
    ],
)
def test_what_is_no_game_is_refused_and_the_known_ones_are_named(text, told):
    with pytest.raises(SettingsError, match=told):
        parse_games(text)


def test_together_the_weighted_losses_add_up_and_all_metrics_are_told():
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(module.weight, 2.0)
    both = Together(module, [(Fixed(module, 3.0, "a"), 1.0), (Fixed(module, 5.0, "b"), 0.1)])
    loss, metrics = both.loss(7)
    loss.backward()
    assert loss.item() == pytest.approx((3 * 2 + 7) + 0.1 * (5 * 2 + 7))
    assert module.weight.grad.item() == pytest.approx(3 + 0.5)
    assert set(metrics) == {"a_loss", "b_loss"}
    assert both.validate() == {"val_a": 3.0, "val_b": 5.0}


def test_one_game_alone_is_its_plain_learner_bit_by_bit():
    movie = noise_movie(0, 8, 40, 40)
    sides = [device_movie(movie, range(8), (1,), CPU.device)]
    torch.manual_seed(0)
    alone = TimeArrow(ArrowEncoder(1, SETTINGS), sides, sides, SETTINGS, CPU)
    torch.manual_seed(0)
    listed = begin({"time_arrow": 1.0}, Playground(ArrowEncoder(1, SETTINGS), sides, sides, SETTINGS, CPU, [7.0]))
    assert isinstance(listed, TimeArrow)
    for step in (0, 3):
        assert torch.equal(alone.loss(step)[0], listed.loss(step)[0])
    assert alone.validate() == listed.validate()


def test_every_game_says_what_it_learns_and_by_what_it_is_judged():
    for game in GAMES.values():
        assert game.learns.endswith(".")
        assert game.monitor(SETTINGS).startswith("val_")
