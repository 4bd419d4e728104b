"""The games by which an encoder learns without labels: what each learns, when it misleads, its settings, and what it needs.

These are facts alone: the window and `--help` read them without torch. How a game is played stands in `pretext/`, one file for each, of
the same name. Other packages add games through an entry point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_origin

from napari_tap_events.errors import SettingsError
from napari_tap_events.settings import game_settings as own
from napari_tap_events.settings.declare import Settings

ENTRY_POINTS = "napari_tap_events.games"
"""Group in which other packages name their games: `name = "package.module:Class"`."""
VAL_SHARE = 0.2
"""Share of the frames, at the end of each movie, that judge by default."""


@dataclass(frozen=True)
class GameFacts:
    """What is to be known of a game before it is played.

    Attributes
    ----------
    learns, misleads : str
        What the encoder learns, and when not to trust it; a sentence each.
    reference : str
        Where the idea comes from.
    settings : type of Settings
    frames, channels : int
        Least successive frames and image channels that it needs.
    needs_movies : bool
        Whether it is played on the user's movies.
    keeps_head : bool
        Whether its head stays with the encoder; others are thrown away after learning.
    """

    learns: str
    misleads: str
    reference: str
    settings: type[Settings] = field(default=own.NoSettings)
    frames: int = 2
    channels: int = 1
    needs_movies: bool = True
    keeps_head: bool = False

    def unfit(self, frames: int, channels: int) -> str:
        """Return the sentence that says why it cannot be played on a movie; empty where it can."""
        judged = max(2, round(VAL_SHARE * frames))
        if self.needs_movies and min(judged, frames - judged) < self.frames:
            return (
                f"It needs {self.frames} frames in a row to learn from and as many to judge by; this movie has {frames} in all."
            )
        if self.needs_movies and channels < self.channels:
            return f"It needs a movie of {self.channels} channels; this one has {channels}."
        return ""


GAMES: Mapping[str, GameFacts] = {
    "time_arrow": GameFacts(
        "Which of two crops of one place came first.",
        "Misleads where the microscope itself has a direction in time: bleaching, drift, focus.",
        "Gallusser, Stieber, Weigert 2023",
        keeps_head=True,
    ),
    "simulated": GameFacts(
        "Where divisions and deaths are in endless simulated movies.",
        "Misleads where your cells look or divide unlike any of the simulated ones.",
        "Tobin et al. 2017, domain randomisation",
        frames=1,
        needs_movies=False,
        keeps_head=True,
    ),
    "order": GameFacts(
        "In which order several crops of one place follow each other.",
        "Misleads where cells only wander: then it learns where they are, not what they do.",
        "Misra et al. 2016; Lee et al. 2017; Fernando et al. 2017",
        own.OrderSettings,
        frames=4,
    ),
    "timecontrast": GameFacts(
        "That a place looks like itself a moment later, and unlike other places and other times.",
        "Misleads where all cells look alike, or where a static background tells places apart.",
        "Wang, Gupta 2015; Chen et al. 2020",
        own.TimecontrastSettings,
        frames=6,
    ),
    "selfee": GameFacts(
        "That two views of the same moment are the same, whatever their crop, light and false colour.",
        "Misleads where moments are hard to tell apart at all: on dull footage features collapse; watch their spread.",
        "Jia et al. 2022, eLife 11:e76218",
        own.SelfeeSettings,
        frames=3,
    ),
    "clove": GameFacts(
        "That a spot is the same spot in every crop that shows it, judged together with its surroundings.",
        "Misleads where texture repeats: then many spots are alike by right, and are pushed apart.",
        "Contextualised local visual embeddings, 2023; He et al. 2020",
        own.CloveSettings,
    ),
    "masked": GameFacts(
        "To fill in hidden parts of a crop from what is left and from a frame before.",
        "Misleads where noise is strong: it learns texture, and mostly copies where nothing moves.",
        "Pathak et al. 2016; Gupta et al. 2023",
        own.MaskedSettings,
    ),
    "future": GameFacts(
        "What a place looks like in the next frame, from three frames before it.",
        "Misleads where cells move far between frames: what cannot be foreseen is blurred, events included.",
        "Srivastava et al. 2015; Mathieu et al. 2016",
        frames=4,
    ),
    "propagate": GameFacts(
        "Where each spot of a frame was in the frames before.",
        "Misleads where cells move farther than it may point, or where the place in the crop is enough to come home.",
        "Vondrick et al. 2018; Jabri et al. 2020",
        own.PropagateSettings,
        frames=3,
    ),
    "relrot": GameFacts(
        "By how many quarters one of two successive crops was turned against the other.",
        "Misleads where a fixed pattern of the camera or uneven light gives the direction away.",
        "Gidaris et al. 2018; Jing et al. 2018",
    ),
    "jigsaw": GameFacts(
        "How nine tiles of a place fit together.",
        "Misleads where uneven light or lines that cross the gaps give the places away; it knows nothing of time.",
        "Noroozi, Favaro 2016",
        own.JigsawSettings,
        frames=1,
    ),
    "deep_clusters": GameFacts(
        "To sort crops into kinds that it makes up itself, anew every epoch.",
        "Misleads where kinds are brightness or density: rare events make no kind of their own.",
        "Caron et al. 2018, 2020",
        own.DeepClustersSettings,
    ),
    "exemplar": GameFacts(
        "To know a crop again after it was shifted, scaled, turned and shown in another light.",
        "Misleads where cells are all alike: it then learns their surroundings, and nothing about time.",
        "Dosovitskiy et al. 2014",
        own.ExemplarSettings,
        frames=1,
    ),
    "crosschannel": GameFacts(
        "What another channel of the same frame looks like.",
        "Misleads where one channel bleeds into the other: then it learns to copy; it knows nothing of time.",
        "Zhang et al. 2016; Zhang et al. 2017",
        own.CrosschannelSettings,
        frames=1,
        channels=2,
    ),
    "count": GameFacts(
        "Numbers that add up: those of a crop are the sum of those of its quarters.",
        "Misleads where there is one cell to a crop, and little to count; it knows nothing of time.",
        "Noroozi, Pirsiavash, Favaro 2017",
        own.CountSettings,
        frames=1,
    ),
    "motionmask": GameFacts(
        "From one frame alone, which pixels are about to change.",
        "Misleads where everything that moves is called an event: fast cells and debris count as much as divisions.",
        "Pathak et al. 2017",
        own.MotionmaskSettings,
    ),
    "slowness": GameFacts(
        "Features that change as slowly in time as they can: a control.",
        "Erases events on purpose, since they are fast; it should lose against every other game.",
        "Wiskott, Sejnowski 2002; Bardes et al. 2022",
        own.SlownessSettings,
    ),
    "weak": GameFacts(
        "To find what a simple detector takes for events: sudden local changes.",
        "Misleads as that detector does: flicker and fast cells are called events until marks correct it.",
        "Reed et al. 2015, bootstrapping on noisy labels",
        own.WeakSettings,
    ),
}
"""The games that come with the program, in the order in which they are offered."""


def other_games() -> dict[str, EntryPoint]:
    """Return the games of other packages by name; nothing of them is imported."""
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}


def known_games() -> list[str]:
    """Return the names of all games there are."""
    return [*GAMES, *(name for name in other_games() if name not in GAMES)]


def parse_games(text: str) -> dict[str, float]:
    """Return the games and weights that `time_arrow:1,simulated:0.5` names; a game without a weight has 1.

    Raises
    ------
    SettingsError
        When a game is not known or named twice, or a weight is no positive number.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, colon, weight = (piece.strip() for piece in part.partition(":"))
        if name not in GAMES and name not in other_games():
            raise SettingsError(f"pretext = '{text}' names the game '{name}'; there are: {', '.join(known_games())}.")
        if name in found:
            raise SettingsError(f"pretext = '{text}' names the game '{name}' twice; give it one weight.")
        found[name] = _weight(text, weight) if colon else 1.0
    return found


def _weight(text: str, weight: str) -> float:
    try:
        value = float(weight)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise SettingsError(
            f"pretext = '{text}': the weight '{weight}' is no number above 0; write it as time_arrow:1,simulated:0.5."
        )
    return value


def games_text(games: Mapping[str, float]) -> str:
    """Write games and weights as `parse_games` reads them."""
    return ",".join(name if weight == 1 and len(games) == 1 else f"{name}:{weight:g}" for name, weight in games.items())


def settings_of_game(name: str, kind: type[Settings], told: Sequence[str]) -> Settings:
    """Return the settings of a game out of those of all games.

    Parameters
    ----------
    name : str
    kind : type of Settings
    told : sequence of str
        `GAME.SETTING=VALUE`; several numbers are joined by `+`, as in `order.gaps=1+2+4`.

    Raises
    ------
    SettingsError
        When one of this game cannot be read, is not known, or has a value that will not do.
    """
    values: dict[str, Any] = {}
    for text in told:
        place, equals, value = text.partition("=")
        game, dot, setting = place.strip().partition(".")
        if not equals or not dot:
            raise SettingsError(f"game_settings: '{text}' cannot be read; write it as order.mode=sort.")
        if game == name:
            declared = kind.declared().get(setting)
            several = declared is not None and get_origin(declared.annotation) is tuple
            values[setting] = tuple(value.split("+")) if several else value.strip()
    try:
        return kind.checked(**values)
    except SettingsError as error:
        reason = str(error).partition("; change --")[0].rstrip(".")
        raise SettingsError(f"game_settings: of the game '{name}', {reason}.") from None


def check_game_settings(games: Mapping[str, GameFacts], told: Sequence[str]) -> None:
    """Refuse settings of games that are not played, and those that will not do.

    Raises
    ------
    SettingsError
        Naming the first of them.
    """
    for name, facts in games.items():
        settings_of_game(name, facts.settings, told)
    for text in told:
        game = text.partition(".")[0].strip()
        if game not in games:
            raise SettingsError(f"game_settings: '{text}' is for a game that is not played; played: {', '.join(games)}.")
