"""The encoder that comes with the program, and how a name is turned into the folder of an encoder."""

from __future__ import annotations

from pathlib import Path

CARD, WEIGHTS = "card.json", "model.safetensors"
"""Names of the files of a model: what it is, and its weights."""
SHIPPED = "shipped"
"""The name by which it is asked for, wherever the folder of an encoder is."""


def encoder_folder(name: str | Path) -> Path:
    """Return the folder of an encoder: that of the shipped one for its name, else the path as it is."""
    return Path(__file__).parents[1] / SHIPPED if str(name) == SHIPPED else Path(name)
