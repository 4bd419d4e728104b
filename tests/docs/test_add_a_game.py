"""The worked example of docs/howto/add-a-game.md runs as it stands there, as a package that names it by an entry point."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_tap_events.encoder.weights import load_encoder
from napari_tap_events.jobs.games import games_text
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.settings import PretrainSettings
from napari_tap_events.settings.games import known_games

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add-a-game.md"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Lay the example out as an installed package."""
    text = PAGE.read_text(encoding="utf-8")
    code, named = (re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL).group(1) for kind in ("python", "toml"))
    site = tmp_path / "site"
    (site / "my_package").mkdir(parents=True)
    (site / "my_package" / "__init__.py").write_text("")
    (site / "my_package" / "speed.py").write_text(code)
    info = site / "my_package-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 1\n")
    group, entry = re.search(r'entry-points\."(.*?)"\]\n(.*)', named).groups()
    (info / "entry_points.txt").write_text(f"[{group}]\n{entry.replace(chr(34), '')}\n")
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield site
    for name in [name for name in sys.modules if name.startswith("my_package")]:
        del sys.modules[name]


@pytest.fixture
def movie(tmp_path) -> Path:
    """Bodies that go straight on: the farther apart two frames, the farther they have gone."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :64]
    frames, places, ways = [], rng.uniform(0, 64, (14, 2)), rng.uniform(0, 2 * np.pi, 14)
    for _ in range(40):
        places += np.stack([np.sin(ways), np.cos(ways)], axis=1)
        bodies = [np.exp(-((y - cy % 64) ** 2 + (x - cx % 64) ** 2) / 10) for cy, cx in places]
        frames.append(20 + 150 * np.max(bodies, axis=0) + rng.normal(0, 2, y.shape))
    tifffile.imwrite(tmp_path / "movie.tif", np.clip(frames, 0, 255).astype(np.uint8), metadata={"axes": "TYX"})
    return tmp_path / "movie.tif"


def test_the_example_is_known_told_of_and_played(package, movie, tmp_path):
    assert "speed" in known_games()
    assert "my_package.speed:Speed" in games_text()
    assert "speed.faster=2" in games_text("speed")
    settings = PretrainSettings(
        preset="unet8", patch_px=24, batch=16, steps=100, val_pairs=256, motion_blur_px=2.0, learning_rate=4e-3,
        pretext="speed:1,time_arrow:0.1",
        game_settings=("speed.faster=5",), val_frames="22:40",
    )  # fmt: skip
    for _ in pretrain([movie], settings, Run(tmp_path / "encoder")):
        pass
    _, card = load_encoder(tmp_path / "encoder")
    assert card.metrics["speed_chance"] == 0.5
    assert card.metrics["val_speed_loss_motion"] < 0.62, "chance is log 2"
    assert {"speed", "time_arrow"} == set(card.details["validity"])


def test_without_its_package_it_is_not_there():
    assert "speed" not in known_games()
