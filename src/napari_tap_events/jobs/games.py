"""The games that can be played, in words."""

from __future__ import annotations

from collections.abc import Iterator

from napari_tap_events.errors import SettingsError
from napari_tap_events.settings import unit_of
from napari_tap_events.settings.games import GAMES, GameFacts, known_games, other_games


def games_text(name: str | None = None) -> str:
    """Return what is known of all games, or of one with its settings.

    Raises
    ------
    SettingsError
        When there is no such game, or the package that it is in cannot be imported.
    """
    if name is None:
        return "\n".join([*(line for game in known_games() for line in _short(game)), "", _HOW])
    if name not in known_games():
        raise SettingsError(f"there is no game '{name}'; there are: {', '.join(known_games())}.")
    return "\n".join(_long(name, _facts(name)))


_HOW = (
    "Play one with --pretext order, several with weights: --pretext time_arrow:1,order:0.5; "
    "their settings with --game-settings order.mode=verify. 'napari-tap-events games order' lists those of a game."
)


def _facts(name: str) -> GameFacts:
    if name in GAMES:
        return GAMES[name]
    from napari_tap_events.pretext.games import facts_of

    return facts_of(name)


def _short(name: str) -> Iterator[str]:
    yield name
    if name in GAMES:
        yield f"  {GAMES[name].learns}"
        yield f"  {GAMES[name].misleads}"
    else:
        yield f"  A game of another package, {other_games()[name].value}; 'napari-tap-events games {name}' says more."


def _long(name: str, facts: GameFacts) -> Iterator[str]:
    yield name
    yield f"  learns    {facts.learns}"
    yield f"  beware    {facts.misleads}"
    yield f"  from      {facts.reference}"
    needs = f"{facts.frames} frame{'s' * (facts.frames > 1)} in a row" + (f", {facts.channels} channels" * (facts.channels > 1))
    yield f"  needs     {needs if facts.needs_movies else 'no movie'}"
    for setting, field in facts.settings.declared().items():
        default = field.default
        shown = "+".join(map(str, default)) if isinstance(default, tuple) else default
        unit = f" {unit_of(field)}" if unit_of(field) else ""
        yield f"  {name}.{setting}={shown}{unit}"
        yield f"            {field.description}"
