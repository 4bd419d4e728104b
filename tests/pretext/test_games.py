"""The list of games: known names only, weights that count, and one game alone is what it always was."""

from __future__ import annotations

import pytest
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.weights import ArrowEncoder
from napari_tap_events.errors import SettingsError
from napari_tap_events.movies.synthetic import noise_movie
from napari_tap_events.pretext._views import device_movie
from napari_tap_events.pretext.games import Playground, Together, begin
from napari_tap_events.pretext.time_arrow import TimeArrow
from napari_tap_events.settings import PretrainSettings
from napari_tap_events.settings.game_settings import OrderSettings
from napari_tap_events.settings.games import games_text, parse_games, settings_of_game

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
        ("chess", "names the game 'chess'; there are: time_arrow, simulated"),
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


@pytest.mark.parametrize("text", ["order", "order:2", "time_arrow:1,order:0.5"])
def test_games_are_written_as_they_are_read(text):
    assert games_text(parse_games(text)) == text


def test_settings_of_a_game_are_picked_out_of_those_of_all():
    told = ("order.mode=verify", "masked.hidden=0.5", "order.gaps=1+3")
    assert settings_of_game("order", OrderSettings, told) == OrderSettings(mode="verify", gaps=(1, 3))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("order", "'order' cannot be read; write it as order.mode=sort"),
        ("order.colour=red", "of the game 'order', there is no setting 'colour'; there are: mode, gaps, directed"),
        ("order.gaps=0", "of the game 'order', the setting gaps.0 = '0' will not do"),
        ("order.mode=guess", "of the game 'order', the setting mode = 'guess' will not do"),
    ],
)
def test_settings_that_will_not_do_are_refused_by_game_and_name(text, told):
    with pytest.raises(SettingsError, match=told):
        settings_of_game("order", OrderSettings, (text,))


class Entry:
    """A game that another package names."""

    value = "their_package.games:Theirs"

    def __init__(self, loads) -> None:
        self.loads = loads

    def load(self):
        if isinstance(self.loads, Exception):
            raise self.loads
        return self.loads


@pytest.mark.parametrize(
    ("loads", "told"),
    [
        (
            ImportError("No module named 'missing'"),
            "'theirs' cannot be loaded from their_package.games:Theirs: No module named",
        ),
        (AttributeError("no Theirs"), "'theirs' cannot be loaded from"),
        (dict, "is no game: it must be a subclass"),
    ],
)
def test_a_game_of_another_package_that_is_broken_fails_aloud(monkeypatch, loads, told):
    from napari_tap_events.pretext import games
    from napari_tap_events.settings import games as facts

    for module in (games, facts):
        monkeypatch.setattr(module, "other_games", lambda: {"theirs": Entry(loads)})
    assert parse_games("theirs") == {"theirs": 1.0}
    with pytest.raises(SettingsError, match=told):
        games.game_class("theirs")


def test_an_unknown_game_is_told_those_of_other_packages_too(monkeypatch):
    from napari_tap_events.settings import games as facts

    monkeypatch.setattr(facts, "other_games", lambda: {"theirs": Entry(dict)})
    with pytest.raises(SettingsError, match=r"there are: time_arrow, simulated, order, .*, theirs"):
        parse_games("chess")


def test_a_game_is_played_on_a_movie_that_comes_in_blocks_and_probed_on_it():
    """The block whose turn it is follows from the batch alone."""
    from napari_tap_events.pretext._stream import STEPS, LargeMovie
    from napari_tap_events.pretext.games import probed

    settings = SETTINGS.model_copy(update={"pretext": "order", "game_settings": ("order.gaps=1",)})
    movie = noise_movie(0, 30, 40, 40)
    large = LargeMovie(movie, range(30), (1,), CPU.device, 10)
    val = [device_movie(movie, range(8), (1,), CPU.device)]

    def ground() -> Playground:
        torch.manual_seed(0)
        return Playground(ArrowEncoder(1, SETTINGS, arrow=False), [large], val, settings, CPU, [1.0])

    one, other = begin({"order": 1.0}, ground()), begin({"order": 1.0}, ground())
    one.loss(0)
    assert torch.equal(one.loss(STEPS)[0], other.loss(STEPS)[0])
    played = ground()
    task = begin({"order": 1.0}, played)
    task.module.eval()
    assert set(probed({"order": 1.0}, task, played)) == {"order"}


def test_a_game_that_keeps_something_from_batch_to_batch_is_played_by_one_process(monkeypatch):
    movie = device_movie(noise_movie(0, 8, 40, 40), range(8), (1,), CPU.device)
    settings = SETTINGS.model_copy(update={"pretext": "clove"})
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SettingsError, match="the game 'clove' is played by one process alone"):
        begin({"clove": 1.0}, Playground(ArrowEncoder(1, settings, arrow=False), [movie], [], settings, CPU, [1.0]))
