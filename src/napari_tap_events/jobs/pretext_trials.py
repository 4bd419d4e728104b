"""What the study `pretexts` tries: every game, on every movie by itself, with few labelled events and with more.

What is to be compared is what features are worth, so a head reads them alone. Two rows without any pretraining stand beside: an untaught
encoder, and the image itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from napari_tap_events.jobs.trial import FEATURES_ALONE, Marked, Trial
from napari_tap_events.settings import StudySettings
from napari_tap_events.settings.games import GAMES, parse_games

UNTAUGHT = {"random": "untaught encoder", "intensity": "image alone"}
"""What stands beside the games, by what `HeadSettings.encoder` takes."""
AFFORDABLE: dict[str, Any] = {
    "budgets": (5, 20), "seeds": 2, "pretrain_steps": 300, "steps": 100, "folds": 4, "nested": False,
}  # fmt: skip
"""What this study takes where it is not said: an hour or two for a small movie."""
QUICK: dict[str, Any] = {
    "preset": "unet8", "budgets": (5,), "seeds": 1, "pretrain_steps": 60, "pretrain_batch": 16, "steps": 40, "folds": 3, "nested": False,
}  # fmt: skip


def affordable(settings: StudySettings) -> StudySettings:
    """Return settings of the study `pretexts` with its own defaults for what was not said."""
    own = QUICK if settings.quick else AFFORDABLE
    return settings.model_copy(update={name: value for name, value in own.items() if name not in settings.model_fields_set})


def games_of(settings: StudySettings) -> list[str]:
    """Return the games and combinations that are compared.

    Raises
    ------
    SettingsError
        When one is not known.
    """
    named = [part.strip() for part in settings.games.split(";") if part.strip()]
    for one in named:
        parse_games(one)
    return named or [name for name, facts in GAMES.items() if facts.channels == 1]


def pretext_rows(settings: StudySettings, marked: Marked) -> Iterator[Trial]:
    """Yield the rows: movie by movie, game by game, so that the maps of an encoder are needed in a row."""
    games = games_of(settings)
    for m, (movie, n_true) in enumerate(marked.movies.items()):
        for game in [*UNTAUGHT, *games]:
            for budget in _budgets(settings, n_true):
                yield _row(settings, (m, movie), game, budget)


def _row(settings: StudySettings, movie: tuple[int, str], game: str, budget: int) -> Trial:
    labels, name = str(budget) if budget else "all", UNTAUGHT.get(game, game)
    head = "evidence" if game == "intensity" else settings.head
    changes: dict[str, Any] = {"head": head, "teaching_events": budget}
    return Trial(
        f"{movie[1]}: {name}, {labels} labelled",
        0,
        encoder=game if game in UNTAUGHT else "",
        changes=changes | ({} if game == "intensity" else FEATURES_ALONE),
        pretext="" if game in UNTAUGHT else game,
        movie=movie[0],
        told={"movie": movie[1], "game": name, "labels": labels},
    )


def _budgets(settings: StudySettings, n_true: int) -> list[int]:
    """Return how many events teach: those that a movie has for all folds, and 0 for all."""
    most = n_true * (1 - 1 / settings.folds) if settings.folds else 0.6 * n_true
    return [*(budget for budget in sorted(set(settings.budgets)) if budget < most), 0]


def names_of(movies: Sequence[Path]) -> list[str]:
    """Return a name for each movie, none twice: that of the file, where need be with its folder or a number."""
    for name in (lambda path: path.stem, lambda path: f"{path.resolve().parent.name} {path.stem}"):
        names = [name(path) for path in movies]
        if len(set(names)) == len(names):
            return names
    return [f"{number} {path.stem}" for number, path in enumerate(movies, 1)]
