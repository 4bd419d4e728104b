"""What a person says in a review: an answer to a card, what was seen in a window of the audit, and how those windows were drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.masks import Scope

Answer = Literal["yes", "no", "unsure"]
Place = tuple[int, float, float]
"""Frame, y and x in pixels."""
ANSWERS: tuple[Answer, ...] = ("yes", "no", "unsure")
Reason = Literal["uncertain", "confident", "random", "error"]
"""Why a place was asked about."""
TAGS = ("debris", "edge", "moved", "out of focus")
"""Reasons for an answer that the window offers; others may be written."""


@dataclass(frozen=True)
class Verdict:
    """An answer to "is this an event?".

    Attributes
    ----------
    id : int
        Unique among the verdicts of a movie.
    answer : "yes", "no" or "unsure"
    reason : str
        Why it was asked.
    t : int
        First frame of the event's frame pair, as the person put it.
    y, x : float
        Pixels.
    kind : str
        Of the event; also of a no, what was asked for.
    side_px : float
        Side of the square around the place that the answer speaks of.
    reach_frames : int
        It speaks of the frame pairs t - reach_frames to t + reach_frames.
    probability : float or None
        What the model said, 0..1.
    asked_t : int
        Frame of the card, before it was nudged; -1 is `t`.
    asked_y, asked_x : float or None
        Place of the card, before it was moved; None is `y`, `x`.
    point : int
        Id of the point mark that the answer set, 0 where it set none.
    marked : bool
        Whether the answer stamped an event.
    locked : bool
        Whether it lies in frames that never teach.
    tags : tuple of str
        What the person gave as a reason.
    """

    id: int
    answer: Answer
    reason: str
    t: int
    y: float
    x: float
    kind: str
    side_px: float
    reach_frames: int
    probability: float | None = None
    asked_t: int = -1
    asked_y: float | None = None
    asked_x: float | None = None
    point: int = 0
    marked: bool = False
    locked: bool = False
    tags: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """By what it is found again."""
        return f"verdict {self.id}"

    @property
    def asked(self) -> Place:
        """What was asked about: frame, row and column of the card, wherever the event was then put."""
        t = self.t if self.asked_t < 0 else self.asked_t
        y, x = (self.y, self.x) if self.asked_y is None or self.asked_x is None else (self.asked_y, self.asked_x)
        return t, y, x

    def box(self, shape: tuple[int, int, int]) -> Scope:
        """Return the frames and the square that the answer speaks of, inside of a movie (T, Y, X)."""
        half = self.side_px / 2
        frames = range(self.t - self.reach_frames, self.t + self.reach_frames + 2)
        rows, columns = ((round(place - half), round(place + half) + 1) for place in (self.y, self.x))
        return Scope(frames, *rows, *columns).clipped(shape)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        numbers = {name: float(getattr(self, name)) for name in ("y", "x", "side_px")}
        numbers |= {name: float(value) for name in ("asked_y", "asked_x") if (value := getattr(self, name)) is not None}
        probability = None if self.probability is None else round(float(self.probability), 6)
        values = {**vars(self), **numbers, "probability": probability, "tags": list(self.tags)}
        return {"is": "verdict", **values, "t": int(self.t), "asked_t": int(self.asked_t)}


@dataclass(frozen=True)
class SeenEvent:
    """An event that a person saw in a window of the audit: frame, place in pixels, kind."""

    t: int
    y: float
    x: float
    kind: str


@dataclass(frozen=True)
class AuditAnswer:
    """All that a person saw in one window of the audit; it measures, and never teaches.

    Attributes
    ----------
    window : int
        Its number in the design.
    seen : tuple of SeenEvent
        Empty where nothing happens in it.
    unsure : bool
        The person could not say; the window then counts as not looked at.
    judged : tuple of (t, y, x)
        Places in it that had been marked, or answered with no, before it came: they go on teaching, and judge no head.
    """

    window: int
    seen: tuple[SeenEvent, ...] = ()
    unsure: bool = False
    judged: tuple[Place, ...] = ()

    @property
    def key(self) -> str:
        """By what it is found again."""
        return f"audit {self.window}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        seen = [[int(e.t), float(e.y), float(e.x), e.kind] for e in self.seen]
        values = {"is": "audit", "window": int(self.window), "seen": seen, "unsure": bool(self.unsure)}
        return values | ({"judged": _plain(self.judged)} if self.judged else {})


@dataclass(frozen=True)
class AuditDesign:
    """How a movie was cut into windows, and in which order they are asked about; drawn once.

    Attributes
    ----------
    shape : (T, Y, X)
        Of the movie.
    cuts : (bins in time, rows, columns)
        Into how many windows; a window of number n is at `unravel_index(n, cuts)`.
    strata : tuple of int
        For each window, how much the model expected there when the design was drawn: 0 least.
    seed : int
        Of the order within a stratum.
    judged : tuple of (t, y, x)
        Places that had been marked, or answered with no, when it was drawn: they are counted one by one, and the windows measure what
        there is beside them.
    """

    shape: tuple[int, int, int]
    cuts: tuple[int, int, int]
    strata: tuple[int, ...]
    seed: int
    judged: tuple[Place, ...] = ()

    key = "design"

    def box(self, window: int) -> Scope:
        """Return the frame pairs and the rectangle of a window; a pair (t, t + 1) belongs to the window of t."""
        _, rows, columns = self.cuts
        n, column = divmod(window, columns)
        t, row = divmod(n, rows)
        (t0, t1), (y0, y1), (x0, x1) = (
            (i * size // count, (i + 1) * size // count)
            for i, size, count in zip((t, row, column), (self.shape[0] - 1, *self.shape[1:]), self.cuts, strict=True)
        )
        return Scope(range(t0, t1), y0, y1, x0, x1)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; strata are one digit a window."""
        strata = "".join(str(stratum) for stratum in self.strata)
        values = {"is": "design", "shape": list(self.shape), "cuts": list(self.cuts), "strata": strata, "seed": int(self.seed)}
        return values | ({"judged": _plain(self.judged)} if self.judged else {})


Said = Verdict | AuditAnswer | AuditDesign


def check_said(said: Said | None, shape: tuple[int, int, int]) -> None:
    """Refuse what cannot have been said of a movie (T, Y, X).

    Raises
    ------
    ProjectError
        Saying what does not fit.
    """
    if isinstance(said, Verdict):
        if said.answer not in ANSWERS:
            raise ProjectError(f"'{said.answer}' is no answer to a card; say {', '.join(ANSWERS)}.")
        if not Scope.whole(shape).contains(said.t, round(said.y), round(said.x)):
            raise ProjectError(
                f"frame {said.t}, y {said.y:g}, x {said.x:g} lies outside of the movie {shape} (T, Y, X); judge inside of it."
            )
    elif isinstance(said, AuditDesign) and (
        said.shape != shape or len(said.strata) != said.cuts[0] * said.cuts[1] * said.cuts[2]
    ):
        raise ProjectError(f"the audit was drawn for a movie {said.shape}, this one is {shape} (T, Y, X); draw it again.")


def said_from_json(values: Mapping[str, Any]) -> Said:
    """Return what JSON values tell was said.

    Raises
    ------
    ValueError, KeyError, TypeError
        When they are damaged.
    """
    return _READERS[values["is"]]({name: value for name, value in values.items() if name != "is"})


def _verdict(values: dict[str, Any]) -> Verdict:
    return Verdict(**{**values, "tags": tuple(values["tags"])})


def _audit(values: dict[str, Any]) -> AuditAnswer:
    seen = tuple(SeenEvent(int(t), float(y), float(x), str(kind)) for t, y, x, kind in values["seen"])
    return AuditAnswer(int(values["window"]), seen, bool(values["unsure"]), _places(values))


def _design(values: dict[str, Any]) -> AuditDesign:
    t, y, x = (int(n) for n in values["shape"])
    a, b, c = (int(n) for n in values["cuts"])
    strata = tuple(int(digit) for digit in values["strata"])
    return AuditDesign((t, y, x), (a, b, c), strata, int(values["seed"]), _places(values))


def _plain(places: tuple[Place, ...]) -> list[list[float]]:
    return [[int(t), round(float(y), 2), round(float(x), 2)] for t, y, x in places]


def _places(values: dict[str, Any]) -> tuple[Place, ...]:
    """Return the places that were judged before; journals from before they were written down tell of none."""
    return tuple((int(t), float(y), float(x)) for t, y, x in values.get("judged", ()))


_READERS: Mapping[str, Callable[[dict[str, Any]], Said]] = {"verdict": _verdict, "audit": _audit, "design": _design}
