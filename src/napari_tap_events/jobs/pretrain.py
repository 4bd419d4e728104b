"""The recipe `pretrain`: games teach an encoder without labels; it comes out with the heads of the games."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from napari_tap_events.encoder.compiled import compile_where_possible
from napari_tap_events.encoder.compute import Compute, compute_for, room_for_movies
from napari_tap_events.encoder.shipped import encoder_folder
from napari_tap_events.encoder.weights import ArrowEncoder, Card, is_adopted, load_encoder, movie_record, save_model
from napari_tap_events.errors import MovieError, SettingsError
from napari_tap_events.jobs.output import Run, describe, finish, finished, start, write_history
from napari_tap_events.movies.movie import Movie, single_channel
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.movies.synthetic import random_settings, synthesise
from napari_tap_events.pretext._stream import LargeMovie, frames_at_a_time
from napari_tap_events.pretext._views import DeviceMovie, device_movie
from napari_tap_events.pretext.games import Playground, begin, facts_of, monitor, probed, settle
from napari_tap_events.pretext.validity import Validity
from napari_tap_events.reports import Report
from napari_tap_events.settings import EncoderSettings, Look, PretrainSettings, frame_range
from napari_tap_events.settings.games import VAL_SHARE, check_game_settings, parse_games
from napari_tap_events.training.loop import History, Plan, fit
from napari_tap_events.training.ranks import join, leave

SYNTHETIC_FRAMES, SYNTHETIC_PX = 48, 192
SYNTHETIC_SEEDS = 10_000
LEAST_BATCH = 2


def pretrain(movies: Sequence[Path], settings: PretrainSettings, run: Run) -> Generator[Report, None, Path]:
    """Teach an encoder by games that need no labels.

    Parameters
    ----------
    movies : sequence of Path
        May be empty where no game is played on them.
    settings : PretrainSettings
    run : Run

    Yields
    ------
    Report

    Returns
    -------
    Path
        The encoder folder: `model.safetensors`, `card.json`, `history.csv`, `result.json`.
    """
    games = parse_games(settings.pretext)
    check_game_settings({name: facts_of(name) for name in games}, settings.game_settings)
    played_on = _movies_of(movies, games)
    opened = [single_channel(open_movie(path, run.movie)) for path in played_on]
    whole = _with_all_channels(played_on, games, run)
    parts = [_parts(movie, settings) for movie in opened]
    compute = compute_for(run.compute)
    channels = opened[0].n_channels if opened else 1
    _fresh(channels, games, settings)
    ranks = join()
    if ranks.first:
        start(run, "pretrain", settings, {"movies": movies})
    if ranks.decide(finished(run)):
        yield Report("pretrain", message=f"'{run.out}' is finished already")
        return run.out
    if ranks.of > 1:
        yield Report("pretrain", message=f"{ranks.of} processes learn together, each {settings.batch} pairs a step")
    if len(played_on) < len(movies):
        yield Report("pretrain", message=f"no game of '{settings.pretext}' is played on your movies: they teach nothing here")
    read = f"reading {len(opened)} movie{'s' * (len(opened) > 1)}, " if opened else ""
    yield Report("pretrain", message=f"{read}computing on {compute.name}")
    room = room_for_movies(run.compute, compute) // max(1, len(opened))
    own = [
        _large_or_not(m, part, settings, compute, room) for m, (frames, _) in zip(opened, parts, strict=True) for part in frames
    ]
    if any(isinstance(movie, LargeMovie) for movie in own):
        yield Report("pretrain", message="the movies are larger than the memory for them: blocks of frames take turns")
    train = own + ((yield from _synthetic(settings, compute)) if own else [])
    val = _judging(opened, parts, settings, compute, room)
    teaching = [_large_or_not(m, p, settings, compute, room) for m, (fs, _) in zip(whole, parts, strict=False) for p in fs]
    given = Given(channels, train, len(own), val, (teaching, _judging(whole, parts, settings, compute, room)))
    learned = yield from _learn(given, settings, run, compute)
    if ranks.first:
        _keep(learned, opened, parts, run)
    leave()
    return run.out


def _movies_of(movies: Sequence[Path], games: Mapping[str, float]) -> Sequence[Path]:
    """Return the movies that games are played on: all, or none; a game without the movies that it needs is refused."""
    playing = [name for name in games if facts_of(name).needs_movies]
    if playing and not movies:
        raise SettingsError(f"the game '{playing[0]}' is played on movies: give at least one MOVIE.")
    return movies if playing else []


def _with_all_channels(paths: Sequence[Path], games: Mapping[str, float], run: Run) -> list[Movie]:
    """Open the movies with all their channels, where a game asks for more than one; nothing where none does."""
    asking = [name for name in games if facts_of(name).channels > 1]
    if not asking:
        return []
    movies = [open_movie(path, run.movie.model_copy(update={"channel": None})) for path in paths]
    for movie in movies:
        problem = facts_of(asking[0]).unfit(movie.n_frames, movie.n_channels)
        if problem:
            raise MovieError(f"'{movie.name}' is not for the game '{asking[0]}': {problem[:1].lower()}{problem[1:]}")
    if len({movie.n_channels for movie in movies}) > 1:
        raise MovieError(f"the game '{asking[0]}' needs movies of as many channels each; play it on one of them.")
    return movies


def _fresh(channels: int, games: Mapping[str, float], settings: PretrainSettings) -> ArrowEncoder:
    """Return the encoder to begin with: untaught, or the one to go on from, with a head for every game that is played."""
    torch.manual_seed(settings.seed)
    model = ArrowEncoder(channels, settings, arrow="time_arrow" in games, simulated="simulated" in games)
    if settings.start_from:
        before, card = load_encoder(encoder_folder(settings.start_from), channels)
        if is_adopted(card):
            raise SettingsError(
                f"the encoder '{settings.start_from}' was adopted: its features are frozen; go on from another."
            )
        own = {name: getattr(settings, name) for name in EncoderSettings.model_fields}
        other = {name: card.settings.get(name, value) for name, value in own.items()}
        if own != other:
            told = ", ".join(f"{name} = {value}" for name, value in other.items() if value != own[name])
            raise SettingsError(f"the encoder '{settings.start_from}' was made with {told}; choose the same to go on from it.")
        model.encoder = before.encoder
        model.arrow = before.arrow if model.arrow is not None and before.arrow is not None else model.arrow
        model.simulated = before.simulated if model.simulated is not None and before.simulated is not None else model.simulated
    return model


@dataclass(frozen=True)
class Learned:
    """What came out: the encoder, how it went, the settings it was done with in the end, and what the probes say of each game."""

    model: ArrowEncoder
    history: History
    settings: PretrainSettings
    probes: Mapping[str, Validity]


@dataclass(frozen=True)
class Given:
    """What is played on.

    Attributes
    ----------
    channels : int
        What the encoder reads.
    train, val : sequences of movies
        What teaches, the first `own` of it the user's, and what judges.
    own : int
    whole : pair of sequences of movies
        The user's movies with all their channels, likewise; empty where no game asks for them.
    """

    channels: int
    train: Sequence[DeviceMovie | LargeMovie]
    own: int
    val: Sequence[DeviceMovie]
    whole: tuple[Sequence[DeviceMovie | LargeMovie], Sequence[DeviceMovie]]


def _learn(given: Given, settings: PretrainSettings, run: Run, compute: Compute) -> Generator[Report, None, Learned]:
    """Train, half the batch at a time where memory runs out; then ask what was learned."""
    plan, resume, weights = plan_of(settings, run.out), run.resume, _weights(given.train, given.own, settings.own_share)
    games = parse_games(settings.pretext)
    while True:
        model = _fresh(given.channels, games, settings).to(compute.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if settings.compile:
            yield Report("pretrain", message=_compiled(model, given.channels, settings, compute))
        ground = Playground(model, given.train, given.val, settings, compute, weights, given.whole)
        learner = begin(games, ground)
        try:
            history = yield from fit(learner, plan, run.control, resume, join())
            break
        except torch.OutOfMemoryError:
            if settings.batch < 2 * LEAST_BATCH or join().of > 1:  # other processes would wait for this one
                raise
        settings, resume = _half_at_a_time(settings), True
        plan = replace(plan, accumulate=settings.accumulate)
        del model, learner, ground  # or the next attempt would find the memory taken
        torch.cuda.empty_cache()
        told = f"memory ran out: going on with {settings.batch} pairs at a time, {settings.accumulate} times a step"
        yield Report("pretrain", message=told)
    settle(learner, plan.steps - 1)
    yield Report("pretrain", plan.steps, plan.steps, "asking whether cells were looked at, or the microscope")
    return Learned(model, history, settings, probed(games, learner, ground) if join().first else {})


def _half_at_a_time(settings: PretrainSettings) -> PretrainSettings:
    """Return settings by which a step learns from as many crops, half of them at a time."""
    simulated = max(LEAST_BATCH, settings.simulated_batch // 2)
    changed = {"batch": settings.batch // 2, "simulated_batch": simulated, "accumulate": 2 * settings.accumulate}
    return settings.model_copy(update=changed)


def _compiled(model: ArrowEncoder, channels: int, settings: PretrainSettings, compute: Compute) -> str:
    """Compile the encoder; return what came of it."""
    side, crops = settings.patch_px, 2 * settings.batch
    if settings.pretext.startswith("simulated"):
        side, crops = settings.simulated_px, 2 * settings.simulated_batch
    why = compile_where_possible(model.encoder, torch.zeros(crops, channels, side, side, device=compute.device), compute)
    return f"the network stays as it is, it could not be compiled ({why})" if why else "the network is compiled"


def _synthetic(settings: PretrainSettings, compute: Compute) -> Generator[Report, None, list[DeviceMovie]]:
    """Make the synthetic movies; seeds follow each other from a start that depends on the seed."""
    look: Look | None = None if settings.synthetic_look == "both" else settings.synthetic_look
    made = []
    for number in range(settings.synthetic_movies):
        scene = random_settings(SYNTHETIC_SEEDS * settings.seed + number, look, SYNTHETIC_FRAMES, SYNTHETIC_PX)
        movie = synthesise(scene).movie
        made.append(_on_device(movie, range(movie.n_frames), settings, compute))
        yield Report("synthetic movies", number + 1, settings.synthetic_movies)
    return made


def _weights(train: Sequence[DeviceMovie | LargeMovie], own: int, own_share: float) -> list[float]:
    """Return how often each movie is drawn from: own movies share `own_share`, the synthetic ones the rest."""
    pairs = [float(len(movie.pairs)) for movie in train]
    if own == len(train):
        return pairs
    totals = [sum(pairs[:own]), sum(pairs[own:])]
    return [own_share * p / totals[0] if m < own else (1 - own_share) * p / totals[1] for m, p in enumerate(pairs)]


def monitor_of(settings: PretrainSettings) -> str:
    """Return the metric that judges: that of the first game."""
    return monitor(next(iter(parse_games(settings.pretext))), settings)


def plan_of(settings: PretrainSettings, out: Path) -> Plan:
    """Return how long and how fast to learn."""
    period = max(1, settings.pairs_per_epoch // (settings.batch * settings.accumulate))
    steps = settings.steps or max(1, math.ceil(settings.epochs * period))
    return Plan(
        stage="pretrain",
        steps=steps,
        val_every=min(settings.val_every, steps),
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        schedule=settings.schedule,
        monitor=monitor_of(settings),
        keep_best=settings.keep == "best",
        patience=settings.patience,
        period=period,
        accumulate=settings.accumulate,
        checkpoint=out / "checkpoint.pt",
    )


def _keep(learned: Learned, movies: Sequence[Movie], parts: Sequence[tuple[list[range], range]], run: Run) -> Path:
    model, history, settings = learned.model, learned.history, learned.settings
    records = [
        movie_record(movie, range(min(p.start for p in frames), max(p.stop for p in frames)))
        for movie, (frames, _) in zip(movies, parts, strict=True)
    ]
    kept = min(history, key=lambda row: row[monitor_of(settings)]) if settings.keep == "best" else history[-1]
    metrics = {name: value for name, value in kept.items() if math.isfinite(value)}
    values = settings.model_dump(mode="json")
    card = Card(
        kind="encoder",
        name=run.out.name,
        channels=model.encoder.channels,
        features=model.encoder.features,
        settings=values,
        movies=records,
        metrics=metrics,
        details={
            "pretext": settings.pretext,
            "arrow": model.arrow is not None,
            "simulated": model.simulated is not None,
            "val_frames": [f"{v.start}:{v.stop}" for _, v in parts],
            "validity": {name: asdict(told) for name, told in learned.probes.items()},
        },
    )
    write_history(run.out / "history.csv", history)
    save_model(run.out, model.state_dict(), card)
    (run.out / "checkpoint.pt").unlink(missing_ok=True)
    inputs = {
        **({"movie": describe(movies[0], records[0].content_hash)} if movies else {}),
        "movies": [describe(m, r.content_hash) for m, r in zip(movies, records, strict=True)],
    }
    files = {"encoder": ".", "pretrain_history": "history.csv"}
    warnings = [sentence for told in learned.probes.values() for sentence in told.warnings]
    finish(run, "pretrain", {"pretrain": settings}, inputs, files, metrics, warnings)
    return run.out


def _parts(movie: Movie, settings: PretrainSettings) -> tuple[list[range], range]:
    """Return the frames that teach, in one or two runs, and the frames that judge."""
    if settings.patch_px > min(movie.height, movie.width):
        raise SettingsError(
            f"patch_px = {settings.patch_px} is larger than the frames of '{movie.name}', {movie.height} x {movie.width} px; "
            f"choose --patch-px {min(movie.height, movie.width)} or less."
        )
    frames = frame_range(settings.frames, movie.n_frames, "frames")
    if settings.val_frames:
        val = frame_range(settings.val_frames, movie.n_frames, "val_frames")
    else:
        val = frames[len(frames) - max(2, round(VAL_SHARE * len(frames))) :]
    gap = _span(settings)
    before = range(frames.start, max(frames.start, min(frames.stop, val.start)))
    after = range(min(frames.stop, max(frames.start, val.stop)), frames.stop)
    train = [part for part in (before, after) if len(part) > gap]
    if not train or len(val) <= gap:
        raise SettingsError(
            f"'{movie.name}' has {movie.n_frames} frames: {len(before) + len(after)} to learn from and {len(val)} to judge by; "
            f"more than {gap} of each are needed. Choose other --frames and --val-frames."
        )
    return train, val


def _span(settings: PretrainSettings) -> int:
    """Return how far apart the frames of a place are at least, in the game that looks farthest."""
    return max(*settings.deltas, *(facts_of(name).frames - 1 for name in parse_games(settings.pretext)))


def _on_device(movie: Movie, frames: range, settings: PretrainSettings, compute: Compute) -> DeviceMovie:
    return device_movie(movie, frames, settings.deltas, compute.device)


def _large_or_not(
    movie: Movie, frames: range, settings: PretrainSettings, compute: Compute, room: int
) -> DeviceMovie | LargeMovie:
    block = frames_at_a_time(movie, frames, (_span(settings),), room)
    if block == len(frames):
        return _on_device(movie, frames, settings, compute)
    return LargeMovie(movie, frames, settings.deltas, compute.device, block)


def _judging(
    movies: Sequence[Movie],
    parts: Sequence[tuple[list[range], range]],
    settings: PretrainSettings,
    compute: Compute,
    room: int,
) -> list[DeviceMovie]:
    """Bring the frames that judge to the device: of each movie, as many as there is room for."""
    return [
        _on_device(movie, _first_of(movie, frames, settings, room), settings, compute)
        for movie, (_, frames) in zip(movies, parts, strict=False)
    ]


def _first_of(movie: Movie, frames: range, settings: PretrainSettings, room: int) -> range:
    """Return as many of the frames that judge as there is room for."""
    return frames[: frames_at_a_time(movie, frames, (_span(settings),), room)]
