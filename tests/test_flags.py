"""Flags: one for every setting, made from its declaration."""

from __future__ import annotations

import inspect
from typing import Annotated, Literal

import pytest
import typer
from typer.testing import CliRunner

from napari_tap_events import cli
from napari_tap_events.errors import SettingsError
from napari_tap_events.flags import spread
from napari_tap_events.settings import Settings, setting


class Soup(Settings):
    """What a test cooks."""

    salt_g: float = setting(1.5, "Salt.", unit="g", low=0, high=9)
    hot: bool = setting(True, "Whether it is hot.")
    size: Literal["small", "large"] = setting("small", "Size of the bowl.", advanced=True)
    bits: Literal[8, 16] = setting(8, "Bits.")
    spoons: tuple[int, ...] = setting((1,), "Spoons.")
    name: str | None = setting(None, "Name.")


@pytest.fixture
def cook():
    served = []
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    @spread
    def soup(guest: Annotated[str, typer.Argument()], settings: Soup) -> None:
        """Cook."""
        served.append((guest, settings))

    def run(*words):
        result = CliRunner().invoke(app, ["me", *map(str, words)])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return served[-1][1] if result.exit_code == 0 and served else result

    return run


def test_without_flags_the_defaults_hold(cook):
    assert cook() == Soup()


def test_every_setting_has_its_flag(cook):
    flags = ["--salt-g", 2, "--no-hot", "--size", "large", "--bits", 16, "--spoons", "1, 2,3", "--name", "borscht"]
    assert cook(*flags) == Soup(salt_g=2.0, hot=False, size="large", bits=16, spoons=(1, 2, 3), name="borscht")


def test_flags_come_before_the_file(cook, tmp_path):
    (tmp_path / "s.toml").write_text('salt_g = 3.0\nname = "file"\nspoons = [4]\n')
    assert cook("--settings", tmp_path / "s.toml", "--salt-g", 2) == Soup(salt_g=2.0, name="file", spoons=(4,))


def test_a_false_in_the_file_can_be_turned_on_and_the_other_way_round(cook, tmp_path):
    (tmp_path / "s.toml").write_text("hot = false\n")
    assert not cook("--settings", tmp_path / "s.toml").hot
    assert cook("--settings", tmp_path / "s.toml", "--hot").hot


def test_unknown_names_and_values_are_refused(cook, tmp_path):
    (tmp_path / "s.toml").write_text("pepper = 1\n")
    with pytest.raises(SettingsError, match="names 'pepper'; there are: bits, hot, name, salt_g, size, spoons"):
        cook("--settings", tmp_path / "s.toml")
    with pytest.raises(SettingsError, match=r"salt_g = 10\.0 will not do"):
        cook("--salt-g", 10)
    with pytest.raises(SettingsError, match="bits = 12 will not do"):
        cook("--bits", 12)
    assert cook("--pepper", 1).exit_code == 2
    assert cook("--size", "huge").exit_code == 2


def test_help_tells_unit_and_default(cook):
    text = " ".join(cook("--help").output.replace("│", " ").split())
    assert "Salt. In g. Default: 1.5." in text
    assert "Advanced settings" in text


def test_no_command_has_two_settings_of_one_name():
    """Two groups of settings in one command with a name in common would share a flag without anybody noticing."""
    for info in cli.app.registered_commands:
        names = list(inspect.signature(info.callback).parameters)
        assert len(names) == len(set(names))
