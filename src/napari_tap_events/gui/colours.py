"""How kinds of event and maps look: colours that colour-blind people can tell apart (Okabe and Ito), and a symbol for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.utils.colormaps import Colormap, DirectLabelColormap
from numpy.typing import NDArray

ORANGE, SKY_BLUE, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
GREY = "#BBBBBB"


@dataclass(frozen=True)
class KindLook:
    """Colour and symbol of a kind of event; the symbol says it to those who do not see the colour."""

    colour: str
    symbol: str


KNOWN_LOOKS = {
    "division": KindLook(ORANGE, "disc"),
    "death": KindLook(SKY_BLUE, "diamond"),
    "event": KindLook(YELLOW, "square"),
    "uncertain": KindLook(GREY, "x"),
    "nothing here": KindLook(GREY, "ring"),
}
FURTHER_LOOKS = (
    KindLook(GREEN, "triangle_up"),
    KindLook(PURPLE, "triangle_down"),
    KindLook(VERMILION, "star"),
    KindLook(BLUE, "square"),
)
SIGNS = {
    "disc": "●",
    "diamond": "◆",
    "square": "■",
    "x": "✕",
    "cross": "✚",
    "triangle_up": "▲",
    "triangle_down": "▼",
    "star": "★",
    "ring": "○",
}
"""The letter that stands for a symbol in lists and on buttons."""
MOST_OPAQUE = 0.6
"""Opacity of a map at its highest: the cell below must still be seen."""
MASK_COLOURS = (ORANGE, SKY_BLUE, GREEN, PURPLE, VERMILION, YELLOW, BLUE)


def looks_of(kinds: Iterable[str]) -> dict[str, KindLook]:
    """Give every kind its look: the known kinds always the same one, others in alphabetical order."""
    names = sorted(set(kinds))
    further = [name for name in names if name not in KNOWN_LOOKS]
    looks = {name: FURTHER_LOOKS[i % len(FURTHER_LOOKS)] for i, name in enumerate(further)}
    return {name: KNOWN_LOOKS.get(name) or looks[name] for name in names}


def looks_of_values(names: Mapping[int, str]) -> dict[int, KindLook]:
    """Give every mask value its look: the known kinds always the same one, others in the order of their values.

    Parameters
    ----------
    names : mapping of int to str
        The kind that a mask value stands for.
    """
    further = [value for value in sorted(names) if names[value] not in KNOWN_LOOKS]
    looks = {value: FURTHER_LOOKS[i % len(FURTHER_LOOKS)] for i, value in enumerate(further)}
    return {value: KNOWN_LOOKS.get(name) or looks[value] for value, name in names.items()}


class MaskColormap(DirectLabelColormap):
    """Colours of masks of few values, looked up in a table.

    napari's own looks values up in a dictionary of numba, whose compilation is the greater part of a second in every session. Where a
    later napari does not call this any more, its own way is taken, and only the time is lost.
    """

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    def _map_without_cache(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the colours of mask values, (..., 4), 0..1."""
        known = {value: colour for value, colour in self.color_dict.items() if value is not None and value >= 0}
        other = max(known, default=0) + 1
        table = np.tile(np.asarray(self.default_color, np.float32), (other + 1, 1))
        for value, colour in known.items():
            table[value] = colour
        colours: NDArray[np.float32] = table[np.where((values < 0) | (values > other), other, values)]
        return colours


def mark_colormap(names: Mapping[int, str]) -> DirectLabelColormap:
    """Colours of the masks that a person is painting: each kind as in lists and on buttons, 0 shows nothing."""
    colours: dict[int | None, str] = {None: "#999999", 0: "transparent"}
    colours.update({value: look.colour for value, look in looks_of_values(names).items()})
    return MaskColormap(color_dict=colours)


def mask_colormap() -> DirectLabelColormap:
    """Colours of painted masks: 0 shows nothing, 1 is the division, 2 the death, then the user's own."""
    colours: dict[int | None, str] = {None: "#999999", 0: "transparent"}
    colours.update(dict(enumerate(MASK_COLOURS, start=1)))
    return MaskColormap(color_dict=colours)


def probability_colormap() -> Colormap:
    """Colours of a probability: nothing to see at 0, then from deep violet over red to yellow at 1."""
    return _fading("TAP probability", ["#3B0F70", "#8C2981", "#DE4968", "#FE9F6D", "#FCFDBF"], full_from=0.6)


def arrow_colormap() -> Colormap:
    """Colours of the arrow map: nothing at 0, then blue over green to white."""
    return _fading("TAP arrow", ["#08306B", "#2171B5", "#41B6C4", "#A1DAB4", "#FFFFCC"], full_from=0.6)


def grad_cam_colormap() -> Colormap:
    """Colours of Grad-CAM, which is added to what lies below: black at 0, green at 1."""
    return Colormap([[0, 0, 0, 1], [0.0, 0.62, 0.45, 1], [0.8, 1, 0.9, 1]], name="TAP Grad-CAM", controls=[0, 0.7, 1])


def _fading(name: str, colours: list[str], full_from: float) -> Colormap:
    """Build a colormap of equal steps whose opacity grows from 0 to `MOST_OPAQUE` at `full_from`."""
    at = np.linspace(0, 1, len(colours))
    rgb = np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in colours])
    alpha = MOST_OPAQUE * np.clip(at / full_from, 0, 1)
    return Colormap(np.column_stack([rgb, alpha]), name=name, controls=at)
