"""A look at a movie before anything is learned from it: what would mislead time arrow prediction, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_tap_events.movies.frame_look import Look, looks_at, sampled_frames
from napari_tap_events.movies.movie import Movie

_DRIFT_PX = 0.25
"""Least motion per frame worth a word, in pixels."""
_STRONG_DRIFT_PX = 5.0
"""From here on cells leave their crops between two frames."""
_PARTS_APART = 2.0
"""A stage moves all parts of a picture alike: their typical motions differ from that of the whole by less than the whole by this."""
_SHAKE_PX = 1.25
"""A typical shift beside the drift that is worth a word: cells that move add half a pixel or so of their own."""
_JUMP_PX, _JUMP_TIMES = 6.0, 5.0
"""A single jump worth a word: so far, and so many times as far as is typical."""
_BLEACHING = 0.2
_SATURATED = 5e-4
"""Share of all pixels; mitotic cells are few and the brightest, so a small share may be all of them."""
_FOCUS_FACTOR = 1.6


@dataclass(frozen=True)
class Finding:
    """Something in a movie that a person should know.

    Attributes
    ----------
    code : str
        "duplicates", "empty", "drift", "shake", "bleaching", "focus" or "saturation".
    severity : "note" or "warning"
        A warning may mislead the learning; a note only weakens it.
    sentence : str
        What was found, what it means for time arrow prediction, and what to do.
    frames : tuple of int
        Which frames it is about; empty where it is about all.
    """

    code: str
    severity: Literal["note", "warning"]
    sentence: str
    frames: tuple[int, ...] = ()


def precheck(movie: Movie, sample_frames: int = 200) -> tuple[Finding, ...]:
    """Look for what may mislead time arrow prediction.

    Parameters
    ----------
    movie : Movie
    sample_frames : int
        Frames to look at, at most; of longer movies, pairs of neighbours spread evenly.

    Returns
    -------
    tuple of Finding
        Empty where all is well; for a movie of several channels, of each.
    """
    numbers = sampled_frames(movie.n_frames, sample_frames)
    digests: list[bytes] = []
    looks = looks_at(movie, numbers, digests)
    findings: list[Finding] = []
    empty = [int(t) for t in numbers if all(t in look.frames[look.low == look.high] for look in looks)]
    findings += _duplicates(numbers, digests, empty)
    for channel, look in enumerate(looks):
        where = f" in channel {channel}" if len(looks) > 1 else ""
        findings += _empty(look, where)
        findings += _drift(look, movie.n_frames, where)
        findings += _shake(look, where)
        findings += _bleaching(look, where)
        findings += _focus(look, where)
        findings += _saturation(look, movie.dtype, where)
    return tuple(findings)


def _duplicates(numbers: Sequence[int], digests: Sequence[bytes], empty: Sequence[int]) -> Iterator[Finding]:
    first: dict[bytes, int] = {}
    again: dict[int, int] = {}
    for t, digest in zip(numbers, digests, strict=True):
        if t in empty:
            continue
        if digest in first:
            again[t] = first[digest]
        else:
            first[digest] = t
    if again:
        shown = ", ".join(f"{t} is {other}" for t, other in list(again.items())[:5])
        more = ", ..." if len(again) > 5 else ""
        yield Finding(
            "duplicates",
            "warning",
            f"{len(again)} frame(s) are exact copies of earlier ones ({shown}{more}): between copies time has no direction, "
            "and frames shared by training and validation flatter the scores; remove the copies.",
            tuple(again),
        )


def _empty(look: Look, where: str) -> Iterator[Finding]:
    typical = float(np.median(look.contrast))
    dark = look.frames[(look.low == look.high) | (look.contrast < 0.05 * typical)]
    if len(dark):
        yield Finding(
            "empty",
            "warning",
            f"{len(dark)} frame(s){where} are empty or nearly so ({_listed(dark)}): normalisation turns them into pure noise; "
            "remove them, or choose frames without them.",
            tuple(int(t) for t in dark),
        )


def _drift(look: Look, n_frames: int, where: str) -> Iterator[Finding]:
    shifts = look.shifts[look.evenly]
    if len(shifts) < 3:
        return
    of_parts = np.median(shifts, axis=0)
    typical = np.median(of_parts, axis=0)
    scatter = np.median(np.linalg.norm(np.median(shifts, axis=1) - typical, axis=1))
    apart = np.median(
        np.linalg.norm(of_parts - typical, axis=1)
    )  # where cells move, parts of the picture move in their own ways
    speed = float(np.linalg.norm(typical))
    if speed < max(_DRIFT_PX, scatter, _PARTS_APART * apart):
        return
    parts = [
        f"{abs(px):.2g} px {forth if px > 0 else back}"
        for px, forth, back in ((typical[0], "down", "up"), (typical[1], "to the right", "to the left"))
        if abs(px) > 0.1 * speed
    ]
    yield Finding(
        "drift",
        "warning" if speed >= _STRONG_DRIFT_PX else "note",
        f"the picture{where}, or most of what is in it, moves the same way all the time: {speed:.2g} px per frame "
        f"({', '.join(parts)}), about {speed * (n_frames - 1):.0f} px in all. Training turns and flips its crops, so the "
        "direction alone does not tell the time, but cells leave their places between frames, and shading that stays behind "
        "does tell it; if the stage drifts, register the movie first; if the cells migrate, leave it.",
    )


def _shake(look: Look, where: str) -> Iterator[Finding]:
    if np.count_nonzero(look.evenly) < 3:
        return
    whole = np.median(look.shifts, axis=1)
    apart = np.median(np.linalg.norm(look.shifts - whole[:, None], axis=2), axis=1)
    away = np.linalg.norm(whole - np.median(whole[look.evenly], axis=0), axis=1)
    away = np.where(away > _PARTS_APART * apart, away, 0)
    typical, most = float(np.median(away[look.evenly])), float(away.max())
    if typical > _SHAKE_PX:
        yield Finding(
            "shake",
            "warning",
            f"the picture{where} shakes: from one frame to the next it jumps by {typical:.2g} px, and by up to {most:.2g} px. All cells "
            "seem to change at once, which hides events; register the movie first.",
        )
        return
    jumps = look.shifted[away > max(_JUMP_PX, _JUMP_TIMES * typical)]
    if len(jumps):
        yield Finding(
            "shake",
            "warning",
            f"the picture{where} jumps, by up to {most:.2g} px ({_listed(jumps)}): everything seems to change there at once; "
            "register the movie first.",
            tuple(int(t) for t in jumps),
        )


def _bleaching(look: Look, where: str) -> Iterator[Finding]:
    from scipy.stats import spearmanr

    bright = look.low < look.high
    if np.count_nonzero(bright) < 8:
        return
    t, signal = look.frames[bright], look.signal[bright]
    if np.ptp(signal) == 0:
        return
    tenth = max(2, len(t) // 10)
    start, end = np.median(signal[:tenth]), np.median(signal[-tenth:])
    fall = 1 - end / start if start > 0 else 0.0
    if fall > _BLEACHING and float(spearmanr(t, signal).statistic) < -0.8:
        yield Finding(
            "bleaching",
            "note",
            f"the signal{where} above the background falls by {100 * fall:.0f} % from beginning to end, as in bleaching: every "
            "frame is normalised by itself, which hides the fall, but noise grows with time and may give the direction away; "
            "compare scores early and late, or use a stretch of the movie with even brightness.",
        )


def _focus(look: Look, where: str) -> Iterator[Finding]:
    usable = (look.low < look.high) & (look.sharpness > 0)
    t, logs = look.frames[usable], np.log(np.where(usable, look.sharpness, 1.0)[usable])
    if len(t) < 8:
        return
    local = np.array([np.median(np.r_[logs[max(0, i - 5) : i], logs[i + 1 : i + 6]]) for i in range(len(t))])
    away = logs - local
    spread = 1.4826 * float(np.median(np.abs(away)))
    blurred = t[away < -max(6 * spread, np.log(_FOCUS_FACTOR))]
    if len(blurred):
        yield Finding(
            "focus",
            "warning",
            f"{len(blurred)} frame(s){where} are much less sharp than their neighbours ({_listed(blurred)}): the change of "
            "focus looks like an event everywhere at once; remove these frames, or leave them out of training.",
            tuple(int(n) for n in blurred),
        )


def _saturation(look: Look, dtype: np.dtype[Any], where: str) -> Iterator[Finding]:
    top = float(look.high.max())
    ceiling = float(np.iinfo(dtype).max) if dtype.kind in "ui" else np.inf
    reaching = (look.high == top) & (look.low < look.high)
    share = float(np.sum(look.at_top[reaching]) / len(look.frames))
    heaped = bool(np.median(look.at_top[reaching]) > np.median(look.below_top[reaching])) if reaching.any() else False
    if share > _SATURATED and (heaped or top == ceiling):
        yield Finding(
            "saturation",
            "note",
            f"{100 * share:.2g} % of the pixels{where} are saturated at {top:g}: inside the brightest cells, often the "
            "dividing ones, nothing is to be seen; expose the next movie for less time, and do not "
            "stretch the contrast when exporting.",
            tuple(int(n) for n in look.frames[reaching]),
        )


def _listed(frames: Sequence[Any] | NDArray[Any]) -> str:
    shown = ", ".join(str(int(t)) for t in frames[:8])
    return f"frame {shown}" if len(frames) == 1 else f"frames {shown}" + (", ..." if len(frames) > 8 else "")
