"""Does a game read cells, or the microscope? The same question on crops that lack the one or the other.

Where the accuracy is above chance where there are no cells, or from six numbers alone, or falls by half when brightness, drift or what
never moves is taken out, the game can be won without looking at cells. Each probe names the cause that it speaks for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from napari_tap_events.pretext._places import Field, Places
from napari_tap_events.pretext._quirks import burnt_in, drift, matched, quietest, temporal_median
from napari_tap_events.pretext._scalars import SCALARS, linear_accuracy, scalars
from napari_tap_events.pretext._views import DeviceMovie, PairSampler
from napari_tap_events.pretext.contract import Encode, Game
from napari_tap_events.settings import PretrainSettings

ABOVE_CHANCE = 0.1
"""A probe this far above chance is a warning."""
SURE = 3
"""An accuracy so many standard errors above chance has a margin that can halve."""
PLACES, CHUNK = 256, 32
RICHER = 8
"""So many places are looked at for one of background."""
NEAR_PX = 3
FEWEST = 16
"""Places that a probe needs."""
CAUSES = {
    "background": "it is won where there are no cells: noise, light or the camera tell",
    "brightness": "brightness alone tells: bleaching, or a lamp that changes",
    "noise or contrast": "noise or contrast alone tells: bleaching, or a lamp that changes",
    "focus": "focus alone tells: the stage sinks, or the plane was corrected",
    "shift": "the shift of the picture alone tells: the stage drifts",
    "matched": "it depends on brightness and contrast: bleaching, or a lamp that changes",
    "registered": "it depends on the drift of the stage: register the movie first",
    "without_median": "it depends on what never moves: uneven light, dirt, or a pattern of the camera",
    "burnt_in": "it reads what is burnt into the frames, such as a time stamp: crop it away",
}
"""What each probe speaks for when it warns."""


@dataclass(frozen=True)
class Validity:
    """What the probes of one game found.

    Attributes
    ----------
    accuracy, chance : float
        On held-out crops as they are, 0..1; of one who guesses.
    probes : dict
        Accuracy of each probe, by the names of `CAUSES`.
    warnings : list of str
        A sentence for each probe that speaks.
    """

    accuracy: float
    chance: float
    probes: Mapping[str, float] = field(default_factory=dict)
    warnings: Sequence[str] = ()


def validity(
    name: str, game: Game, encode: Encode, train: Sequence[DeviceMovie], val: Sequence[DeviceMovie], seed: int
) -> Validity | None:
    """Probe a game that was learned; None where it has no accuracy.

    Parameters
    ----------
    name : str
        Of the game, for the sentences.
    game, encode : Game, Encode
        In eval mode.
    train, val : sequences of DeviceMovie
        The linear rule learns from the first; all else is asked on the second.
    seed : int
    """
    if game.chance is None:
        return None
    with torch.no_grad():
        probing = _Probing(game, encode, val, seed)
        accuracy = probing.accuracy(probing.drawn)
        elsewhere = probing.accuracy(probing.places) if len(probing.places.movie) else game.chance
        probes = {**probing.altered(), **_linear(game, train, val, seed)}
    return Validity(accuracy, game.chance, probes, tuple(_warnings(name, elsewhere, game.chance, probes)))


def _warnings(name: str, accuracy: float, chance: float, probes: Mapping[str, float]) -> list[str]:
    told = []
    for probe, value in probes.items():
        if probe in ("matched", "registered", "without_median"):
            speaks = (
                accuracy - chance > SURE * math.sqrt(chance * (1 - chance) / PLACES)
                and value - chance < (accuracy - chance) / 2
            )
            how = f"accuracy {accuracy:.2f}, {value:.2f} without it"
        else:
            speaks = value - chance > ABOVE_CHANCE
            how = f"accuracy {value:.2f}, chance {chance:.2f}"
        if speaks:
            told.append(f"the game {name} may not look at cells: {CAUSES[probe]} ({how}).")
    return told


class _Probing:
    """One game, asked about places in held-out frames."""

    def __init__(self, game: Game, encode: Encode, movies: Sequence[DeviceMovie], seed: int) -> None:
        self.game, self.encode, self.movies, self.seed = game, encode, movies, seed
        self.sample = game.sample()
        self.count = max(self.sample.together, PLACES // self.sample.together * self.sample.together)
        self.boxes = [burnt_in(movie) for movie in movies]
        self.drawn = self._drawn(1.0, self.count, self.sample.together)
        self.places = self._away(self.drawn)
        if len(self.places.movie) < FEWEST:
            self.places = self._away(self._drawn(0.0, self.count, self.sample.together))

    def accuracy(self, places: Places, change: Callable[[Tensor, Places], Tensor] | None = None) -> float:
        """Return the accuracy at places, their windows changed or not; the same chance each time."""
        generator = torch.Generator(self.movies[0].frames.device).manual_seed(self.seed)
        step = max(1, CHUNK // self.sample.together) * self.sample.together
        right, many = 0.0, 0
        for chosen in torch.arange(len(places.movie), device=places.movie.device).split(step):
            if len(chosen) % self.sample.together:
                continue
            part = places[chosen]
            windows = self._windows(part, part.centre)
            windows = windows if change is None else change(windows, part)
            told = self.game.loss(self.encode, self.game.views(windows, generator, 0.0))
            right, many = right + float(told.metrics["accuracy"]) * len(chosen), many + len(chosen)
        return right / max(1, many)

    def altered(self) -> dict[str, float]:
        """Return the accuracies of all probes that change the crops, or where they lie."""
        marked = self._at_marks()
        found = {} if marked is None else {"burnt_in": self.accuracy(marked)}
        if len(self.places.movie) < FEWEST:
            return found
        moved = [drift(movie) for movie in self.movies]
        median = [temporal_median(movie) for movie in self.movies]
        found |= {
            "background": self.accuracy(self._background()),
            "matched": self.accuracy(self.places, lambda windows, _: matched(windows)),
            "without_median": self.accuracy(self.places, lambda w, places: w - self._median(median, places)),
        }
        inside = self._that_stay_inside(moved)
        if any(bool(one.any()) for one in moved) and len(inside.movie) >= FEWEST:
            found["registered"] = self.accuracy(inside, lambda _, places: self._windows(places, self._following(moved, places)))
        return found

    def _drawn(self, moving: float, count: int, together: int) -> Places:
        samplers = [PairSampler(movie, moving, 2.0) for movie in self.movies]
        field = Field(samplers, [float(len(m.pairs)) for m in self.movies], self.sample.offsets, together)
        return field.places(count, torch.Generator(self.movies[0].frames.device).manual_seed(self.seed + 1))

    def _windows(self, places: Places, centre: Tensor) -> Tensor:
        """Cut windows around centres (B, 2), or around one for each frame (B, S, 2)."""
        size, cut = self.sample.window_px, []
        for b in range(len(places.movie)):
            movie = self.movies[int(places.movie[b])]
            if centre.ndim == 2:
                cut.append(movie.windows(places.frames[b : b + 1], centre[b : b + 1], size)[0])
            else:
                cut.append(movie.windows(places.frames[b][:, None], centre[b], size)[:, 0])
        return torch.stack(cut)

    def _background(self) -> Places:
        """Return places where there is little to see: the quietest of many, in groups of the same frames where the game needs them."""
        many = self._drawn(0.0, RICHER * self.count, RICHER * self.sample.together)
        groups = torch.arange(len(many.movie), device=many.movie.device).split(RICHER * self.sample.together)
        quiet = [group[quietest(self._windows(many[group], many.centre[group]))[: self.sample.together]] for group in groups]
        return many[torch.cat(quiet)]

    def _away(self, places: Places) -> Places:
        """Return the places whose windows do not touch what is burnt in: what is read there is told by a probe of its own."""
        touching = touches(places, self.boxes, self.sample.window_px)
        free = (~touching).view(-1, self.sample.together).all(1).repeat_interleave(self.sample.together)
        return places[free.nonzero()[:, 0]]

    def _at_marks(self) -> Places | None:
        """Return places within what is burnt in; None where there is nothing."""
        places = self._drawn(0.0, self.count, self.sample.together)
        device = places.movie.device
        there = torch.tensor([number for number, box in enumerate(self.boxes) if box is not None], device=device)
        chosen = torch.isin(places.movie, there).nonzero()[:, 0]
        if self.sample.together > 1 or len(chosen) < FEWEST:
            return None
        places = places[chosen]
        rows = zip(places.movie.tolist(), places.frames, strict=True)
        centres = torch.stack([self._rewritten(number, frames) for number, frames in rows])
        generator = torch.Generator(device).manual_seed(self.seed + 2)
        jitter = torch.randint(-NEAR_PX, NEAR_PX + 1, centres.shape, generator=generator, device=device)
        return Places(places.movie, places.frames, (centres + jitter).clamp(min=0))

    def _rewritten(self, number: int, frames: Tensor) -> Tensor:
        """Return the place (y, x) within what is burnt in that changes most between the first and the last of some frames."""
        movie, box = self.movies[number], self.boxes[number]
        top, left, bottom, right = box.tolist() if box is not None else (0, 0, 0, 0)
        block = movie.frames[:, 0, top : bottom + 1, left : right + 1]
        change = (block[frames[-1]].float() - block[frames[0]].float()).abs()
        y, x = divmod(int(change.argmax()), change.shape[1])
        return torch.tensor([top + y, left + x], device=frames.device)

    def _following(self, moved: Sequence[Tensor], places: Places) -> Tensor:
        """Return centres (B, S, 2) that go with the drift, from the first frame of each place on."""
        shift = torch.stack([moved[int(m)][f] - moved[int(m)][f[0]] for m, f in zip(places.movie, places.frames, strict=True)])
        return places.centre[:, None] + shift.round().long()

    def _that_stay_inside(self, moved: Sequence[Tensor]) -> Places:
        """Return the places whose crops go with the drift without ever leaving the frame: a mirrored border would tell as much."""
        reach = self.sample.window_px // 2 + 1
        sizes = torch.tensor([movie.frames.shape[-2:] for movie in self.movies], device=self.places.movie.device)
        centres = self._following(moved, self.places)
        stays = ((centres >= reach) & (centres < sizes[self.places.movie][:, None] - reach)).all(2).all(1)
        groups = stays.view(-1, self.sample.together).all(1).repeat_interleave(self.sample.together)
        return self.places[groups.nonzero()[:, 0]]

    def _median(self, median: Sequence[Tensor], places: Places) -> Tensor:
        """Cut windows (B, 1, C, w, w) out of the temporal medians, as frames are cut."""
        still = [
            DeviceMovie(one[None], False, torch.tensor([0.0, 1.0], device=one.device).expand(1, len(one), 2), places.frames[:0])
            for one in median
        ]
        zero = torch.zeros(1, 1, dtype=torch.int64, device=places.movie.device)
        size = self.sample.window_px
        cut = [still[int(m)].windows(zero, c[None], size)[0] for m, c in zip(places.movie, places.centre, strict=True)]
        return torch.stack(cut)


def touches(places: Places, boxes: Sequence[Tensor | None], size: int) -> Tensor:
    """Return which windows (B,) of side `size` touch the box of their movie."""
    nowhere = torch.tensor([-size, -size, -size, -size], device=places.movie.device) * 4
    own = torch.stack([nowhere if box is None else box for box in boxes])[places.movie]
    low, high = own.split(2, 1)
    near: Tensor = (places.centre > low - size // 2 - 1) & (places.centre < high + size // 2 + 1)
    return near.all(1)


def _linear(game: Game, train: Sequence[DeviceMovie], val: Sequence[DeviceMovie], seed: int) -> dict[str, float]:
    """Return how far each kind of numbers goes alone, as the crops are shown in training; nothing where the game asks for no class."""
    sides = [_numbers(game, movies, seed + number) for number, movies in enumerate((train, val))]
    if sides[0] is None or sides[1] is None or game.chance is None:
        return {}
    classes = int(max(target.max() for _, target in (sides[0], sides[1]))) + 1
    return {kind: linear_accuracy(sides[0], sides[1], classes, columns) for kind, columns in SCALARS.items()}


def _numbers(game: Game, movies: Sequence[DeviceMovie], seed: int) -> tuple[Tensor, Tensor] | None:
    sample, settings = game.sample(), game.settings
    field = Field(
        [PairSampler(movie, _moving(settings), settings.motion_blur_px) for movie in movies],
        [float(len(movie.pairs)) for movie in movies],
        sample.offsets,
        sample.together,
    )
    boxes = [burnt_in(movie) for movie in movies]
    generator = torch.Generator(movies[0].frames.device).manual_seed(seed)
    numbers, targets = [], []
    for _ in range(max(1, 2 * PLACES // max(CHUNK, sample.together))):
        places = field.places(max(CHUNK // sample.together, 1) * sample.together, generator)
        free = (~touches(places, boxes, sample.window_px)).nonzero()[:, 0]
        places = places[free] if sample.together == 1 else places
        if not len(free):
            continue
        batch = game.views(field.windows(places, sample.window_px), generator, settings.augmentation)
        if "crops" not in batch or "target" not in batch or batch["target"].shape != batch["crops"].shape[:1]:
            return None  # no class is asked for of a crop as a whole
        numbers.append(scalars(batch["crops"]))
        targets.append(batch["target"])
    return (torch.cat(numbers), torch.cat(targets)) if sum(map(len, numbers)) >= FEWEST else None


def _moving(settings: PretrainSettings) -> float:
    return 1 - settings.uniform_share if settings.sampling == "motion" else 0.0
