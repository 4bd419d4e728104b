"""Which dimension of a file is time, depth, channel, y, x or colour: told by the file or the user, never guessed."""

from __future__ import annotations

from napari_tap_events.errors import MovieError

KNOWN = "TZCYXS"
"""Time, depth, channel, row, column, colour sample."""


class UnknownAxesError(MovieError):
    """A file does not tell its axes, or tells of no time.

    Attributes
    ----------
    shape : tuple of int
        Length of each dimension of the file.
    suggestion : str
        The axes that are the likeliest, to be offered to a person; empty where none is likely.
    """

    def __init__(self, message: str, shape: tuple[int, ...], suggestion: str = "") -> None:
        super().__init__(message)
        self.shape = shape
        self.suggestion = suggestion


def settled_axes(name: str, axes: str, shape: tuple[int, ...], given: str | None) -> str:
    """Return one letter of `KNOWN` for every dimension; a dimension of length 1 that nobody knows is marked "_".

    Parameters
    ----------
    name : str
        The file's, for messages.
    axes : str
        What the file says, one letter for each dimension; letters outside `KNOWN` are unknown.
    shape : tuple of int
    given : str or None
        What the user says, which wins.

    Raises
    ------
    UnknownAxesError
        When a dimension longer than 1 is not known, or none is time.
    MovieError
        When what the user says does not fit the file.
    """
    if given is not None:
        return _given_axes(name, axes, shape, given)
    axes = "".join("_" if a not in KNOWN and n == 1 else a for a, n in zip(axes, shape, strict=True))
    unknown = [a for a in axes if a not in KNOWN + "_"]
    hint = suggested_axes(axes, shape)
    if unknown:
        raise UnknownAxesError(_unknown_sentence(name, shape, hint), shape, hint)
    if "Y" not in axes or "X" not in axes:
        raise UnknownAxesError(
            f"'{name}' holds no image plane: its axes are {axes} {shape}; say --axes with Y and X among them.", shape, hint
        )
    if "T" not in axes:
        raise UnknownAxesError(_no_time_sentence(name, axes, shape, hint), shape, hint)
    return axes


def suggested_axes(axes: str, shape: tuple[int, ...]) -> str:
    """Return the likeliest axes for a file that does not tell them, or an empty string.

    The longest dimension that is not Y, X or S is offered as time when it is the only one longer than 1.
    """
    if len(axes) < 3 or "Y" not in axes or "X" not in axes:
        return ""
    others = [i for i, (a, n) in enumerate(zip(axes, shape, strict=True)) if a not in "YXS" and n > 1]
    unknown = [i for i, a in enumerate(axes) if a not in KNOWN]
    if len(others) == 1 or (len(others) == 2 and set(others) <= set(unknown)):
        named = dict(zip(others, "TC", strict=False))
        spare = iter(a for a in "CZTS" if a not in axes and a not in named.values())
        named |= {i: next(spare) for i in unknown if i not in named}
        return "".join(named.get(i, a) for i, a in enumerate(axes))
    return ""


def _unknown_sentence(name: str, shape: tuple[int, ...], hint: str) -> str:
    start = f"the axes of '{name}' are unknown: {len(shape)} dimensions {shape};"
    if hint.startswith("TC"):
        return f"{start} say --axes {hint} if they are time, channel, y, x (Z stands for depth)."
    if hint.startswith("T"):
        return f"{start} say --axes {hint} if the first is time."
    if hint:
        return f"{start} say --axes {hint} if that is their order."
    return f"{start} say --axes with one letter of {', '.join(KNOWN)} for each."


def _no_time_sentence(name: str, axes: str, shape: tuple[int, ...], hint: str) -> str:
    if len(axes.strip("S_")) == 2:
        return f"'{name}' is a single image {shape}; a movie needs at least 2 frames (a folder of images can be opened too)."
    words = {"Z": "depth", "C": "channel"}
    first = words.get(next((a for a in axes if a not in "YXS_"), ""), "first dimension")
    advice = f"if {first} is really time, say --axes {hint}." if hint else "say --axes with T among them."
    return f"'{name}' has no time axis: it says {axes} {shape}; {advice}"


def _given_axes(name: str, axes: str, shape: tuple[int, ...], given: str) -> str:
    letters = given.upper()
    if axes.endswith("S") and "S" not in letters and len(letters) == len(shape) - 1:
        letters += "S"
    if len(letters) != len(shape):
        raise MovieError(f"the axes '{given}' name {len(letters)} dimensions, but '{name}' has {len(shape)}: {shape}.")
    wrong = [a for a in letters if a not in KNOWN]
    if wrong:
        raise MovieError(f"the axes '{given}' have the letter {wrong[0]}; the letters are {', '.join(KNOWN)}.")
    if len(set(letters)) != len(letters):
        raise MovieError(f"the axes '{given}' name a dimension twice; each letter may come once.")
    missing = [a for a in "TYX" if a not in letters]
    if missing:
        raise MovieError(f"the axes '{given}' lack {', '.join(missing)}; a movie needs T, Y and X.")
    return letters
