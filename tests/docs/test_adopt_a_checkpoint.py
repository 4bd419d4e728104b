"""The worked example of docs/howto/adopt-a-checkpoint.md runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tifffile
import torch
from typer.testing import CliRunner

from napari_tap_events import cli
from napari_tap_events.encoder import named_code

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "adopt-a-checkpoint.md"
SMALL = ["--steps", "2", "--batch", "2", "--tile-px", "24", "--crop-px", "16", "--area-px", "10", "--guard-frames", "0"]


@pytest.fixture
def files(tmp_path, monkeypatch) -> Path:
    """The adapter of the page, weights as they come, a movie with marks, and nothing that was named before."""
    monkeypatch.setattr(named_code, "named_before", lambda: tmp_path / "settings" / "adapters.json")
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL).group(1)
    (tmp_path / "adapter.py").write_text(code)
    module = ModuleType("page")
    exec(compile(code, str(PAGE), "exec"), module.__dict__)  # noqa: S102
    torch.manual_seed(0)
    weights = {f"backbone.{name}": value for name, value in module.Patches().state_dict().items()}
    torch.save({"teacher": {**weights, "backbone.head.weight": torch.zeros(3)}, "epoch": 7}, tmp_path / "weights.pt")
    rng = np.random.default_rng(0)
    movie, masks = rng.normal(40, 4, (24, 40, 48)), np.zeros((24, 40, 48), np.uint8)
    y, x = np.mgrid[:40, :48]
    for t in range(0, 23, 3):
        near = (y - rng.uniform(8, 32)) ** 2 + (x - rng.uniform(8, 32)) ** 2
        movie[t : t + 2] += 90 * np.exp(-near / 16)
        masks[t : t + 2, near < 25] = 1
    tifffile.imwrite(tmp_path / "movie.tif", np.clip(movie, 0, 255).astype(np.uint8), metadata={"axes": "TYX"})
    tifffile.imwrite(tmp_path / "masks.tif", masks, metadata={"axes": "TYX"})
    return tmp_path


def test_the_example_runs_as_it_stands_there(files):
    commands = re.findall(r"^napari-tap-events (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    adopt, train = (line.split() for line in commands[:2])
    done = CliRunner().invoke(cli.app, adopt)
    assert "keeps 16 of 48 features" in done.stdout, done.output
    done = CliRunner().invoke(cli.app, [*train, *SMALL])
    assert "head" in done.stdout, done.output
    found = CliRunner().invoke(cli.app, ["detect", "movie.tif", "--head", "head", "--out", "found"])
    assert found.exit_code == 0, found.output
    assert (files / "found" / "events.csv").exists()
