"""The study `pretexts`: all games alike in what they are given, ranked within movies, resumable, and no wiser than the draws allow."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_tap_events.encoder import features
from napari_tap_events.encoder.weights import load_card
from napari_tap_events.errors import SettingsError
from napari_tap_events.events.table import EventRow, events_table, write_events
from napari_tap_events.jobs.game_encoders import game_settings
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.pretext_ranks import ranks
from napari_tap_events.jobs.pretext_trials import affordable, names_of
from napari_tap_events.jobs.study import run_study
from napari_tap_events.jobs.trial import Marked
from napari_tap_events.jobs.trials import trials
from napari_tap_events.settings import ScoreSettings, StudySettings
from napari_tap_events.settings.games import GAMES
from napari_tap_events.study.pretext_tables import _ranks, answer, beyond

SMALL = StudySettings(
    preset="unet8", steps=2, pretrain_steps=1, pretrain_batch=8, batch=2, tile_px=24, crop_px=16, patch_px=16, area_px=10, guard_frames=0,
    radius_px=6.0, radius_frames=1, folds=2, nested=False, seeds=1, budgets=(5,), games="order;time_arrow",
)  # fmt: skip
TWO = "order;time_arrow:1,masked:1"


@pytest.fixture
def studied(make_marked, finish, tmp_path):
    def run(out: str = "out", seeds=(0,), resume: bool = False, **changes) -> Path:
        labelled = [make_marked(tmp_path / f"m{seed}", seed).labelled for seed in seeds]
        settings = SMALL.model_copy(update=changes)
        return finish(run_study("pretexts", labelled, settings, Run(tmp_path / out, resume=resume)))

    return run


def test_games_are_ranked_on_every_movie_with_few_labels_and_with_all(studied, monkeypatch):
    counted = []
    plain = features.EncoderFeatures.frame
    monkeypatch.setattr(features.EncoderFeatures, "frame", lambda self, image: counted.append(1) or plain(self, image))
    out = studied(seeds=(0, 1))
    rows, table = pd.read_csv(out / "rows.csv"), (out / "table.md").read_text()
    assert set(rows["status"]) == {"done"}
    assert len(rows) == 2 * 4 * 2, "movies, two games and what stands beside, 5 labels and all"
    assert len(counted) == 2 * 3 * 24, "each encoder sees each frame once, whatever the number of labels"
    ranked = pd.read_csv(out / "ranks.csv").set_index("game")
    assert ranked["rank"].sum() == pytest.approx(3)
    assert ranked.loc[["untaught encoder", "image alone"], "rank"].isna().all()
    assert (ranked.loc[["order", "time_arrow"], "pretrain_cpu_s"] > 0).all()
    assert ranked["cells"].unique().tolist() == [4]
    assert all(f"| {name} |" in table for name in ("order", "time_arrow", "untaught encoder", "image alone"))
    assert "m0 movie, 5 labelled" in table
    page = (out / "report.html").read_text()
    assert "which game teaches the best features?" in page
    assert "Best mean rank" in page
    assert not (out / "features").exists()


def test_a_study_that_was_killed_goes_on_and_ends_as_one_that_was_not(studied, make_marked, tmp_path):
    whole = studied("whole")
    run = Run(tmp_path / "early")
    for report in (reports := run_study("pretexts", [make_marked(tmp_path / "m0", 0).labelled], SMALL, run)):
        if "trial 7/8" in report.stage:
            break
    reports.close()
    kept = {path: path.stat().st_mtime_ns for path in run.out.glob("trials/*/row.json")}
    assert len(kept) >= 4
    resumed = studied("early", resume=True)
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    dropped = ["cpu_s", "pretrain_cpu_s"]
    pd.testing.assert_frame_equal(*[pd.read_csv(folder / "rows.csv").drop(columns=dropped) for folder in (whole, resumed)])


@pytest.mark.parametrize("game", ["time_arrow", "order", "time_arrow:1,timecontrast:0.5", "time_arrow:1,order:1,masked:1"])
def test_every_game_is_given_as_many_pixels_a_step(game):
    made = game_settings(SMALL.model_copy(update={"pretrain_batch": 24, "patch_px": 48}), game, 3)
    assert made.batch * len(game.split(",")) == 24
    assert (made.pretext, made.seed, made.steps) == (game, 3, 1)
    simulated = made.simulated_batch * made.simulated_px**2
    assert simulated == pytest.approx(made.batch * made.patch_px**2, rel=0.35)


def test_encoders_say_by_what_they_were_taught(studied):
    out = studied(games=TWO, budgets=(99,))
    cards = {path.name: load_card(path, "encoder") for path in (out / "encoders").iterdir() if path.is_dir()}
    assert {name: card.details["pretext"] for name, card in cards.items()} == {
        "order-0-0": "order",
        "time_arrow-1-masked-1-0-0": "time_arrow:1,masked:1",
    }


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_the_time_of_an_encoder_is_added_up_over_stops_and_unknown_after_a_kill(studied, make_marked, tmp_path, how):
    settings = SMALL.model_copy(update={"pretrain_steps": 3, "games": "order"})
    run, file = Run(tmp_path / "out"), tmp_path / "out" / "encoders" / "order-0-0.cost.json"
    for report in (reports := run_study("pretexts", [make_marked(tmp_path / "m0", 0).labelled], settings, run)):
        if report.stage.endswith("pretrain"):
            break
    before = file.read_text()
    reports.close()
    spent = json.loads(file.read_text())
    assert (json.loads(before)["ended"], spent["ended"]) == (False, True)
    if how == "killed":
        file.write_text(before)
    whole = pd.read_csv(studied(resume=True, pretrain_steps=3, games="order") / "rows.csv").set_index("game")["pretrain_cpu_s"]
    assert whole.loc["order"].isna().all() if how == "killed" else (whole.loc["order"] > spent["cpu_s"]).all()


def test_what_is_not_said_is_what_a_person_can_afford():
    plain, quick = affordable(StudySettings()), affordable(StudySettings(quick=True))
    assert (plain.seeds, plain.budgets, plain.preset) == (2, (5, 20), "unet16")
    assert (quick.seeds, quick.budgets, quick.preset) == (1, (5,), "unet8")
    said = affordable(StudySettings(quick=True, seeds=7, preset="unet32"))
    assert (said.seeds, said.preset, said.budgets) == (7, "unet32", (5,))


def test_all_games_for_one_channel_are_compared_unless_some_are_named():
    grid = trials("pretexts", SMALL.model_copy(update={"games": ""}), Marked(12, 1, {"movie": 12}))
    assert {trial.pretext for trial in grid} - {""} == set(GAMES) - {"crosschannel"}
    assert {trial.told["labels"] for trial in grid} == {"5", "all"}
    with pytest.raises(SettingsError, match="names the game 'luck'; there are: time_arrow"):
        trials("pretexts", SMALL.model_copy(update={"games": "order;luck"}), Marked(12, 1, {"movie": 12}))


def test_no_two_movies_have_one_name(tmp_path):
    assert names_of([Path("a.tif"), Path("b.tif")]) == ["a", "b"]
    assert names_of([tmp_path / "x" / "movie.tif", tmp_path / "y" / "movie.tif"]) == ["x movie", "y movie"]
    assert names_of([Path("a.tif"), Path("a.tif")]) == ["1 a", "2 a"]


SCORE = ScoreSettings(radius_px=5, frames=1)
TRUE = [(t, 10.0 * (t % 7), 12.0) for t in range(2, 60, 3)]


def written(folder: Path, found: float, seed: int) -> None:
    """Write what a head said: that share of the events, above and among false ones."""
    rng, head = np.random.default_rng(seed), folder / "head"
    head.mkdir(parents=True)
    right = [EventRow(t, y, x, "division", 0.9, source="head") for t, y, x in TRUE if rng.uniform() < found]
    wrong = [EventRow(t, 200.0 + t, 300.0, "division", 0.5, source="head") for t in range(1, 60, 5)]
    write_events(head / "candidates.csv", events_table(right + wrong, None, None))
    write_events(
        head / "truth.csv", events_table([EventRow(t, y, x, "division", 1.0, source="truth") for t, y, x in TRUE], None, None)
    )


@pytest.fixture
def ranked(tmp_path):
    def make(found: dict[str, tuple[float, ...]]) -> pd.DataFrame:
        rows = []
        for game, shares in found.items():
            for seed, share in enumerate(shares):
                name = f"{game}-{seed}"
                written(tmp_path / "trials" / name, share, seed)
                row = {"game": game, "movie": "m", "labels": "5", "seed": seed, "status": "done", "folder": name}
                rows.append(row | {"average_precision": share})
        return ranks(pd.DataFrame(rows), tmp_path, SCORE, {"m": 60})

    return make


def test_a_game_that_finds_all_is_first_and_beyond_the_time_arrow(ranked):
    table = ranked({"time_arrow": (0.4, 0.4), "order": (1.0, 1.0), "slowness": (0.0, 0.0), "untaught encoder": (0.9, 0.9)})
    assert table["game"].tolist() == ["order", "time_arrow", "slowness", "untaught encoder"]
    assert table["rank"].tolist()[:3] == [1, 2, 3]
    rows = {row["game"]: row for row in table.to_dict("records")}
    assert [beyond(rows[name]) for name in ("order", "slowness")] == [1, -1]
    assert rows["order"]["against_low"] > 0.2
    assert {row[0]: row[-1] for row in _ranks(table).rows}["order"] == "above"
    assert {row[0]: row[-1] for row in _ranks(table.assign(against_sd=np.nan)).rows}["order"] == "above, by one seed"
    told = answer(table)
    assert "Best mean rank: order" in told
    assert "Above time_arrow beyond noise: order; below time_arrow beyond noise: slowness." in told


def test_games_that_do_alike_share_a_rank_and_neither_is_beyond_the_other(ranked):
    table = ranked({"time_arrow": (0.5,), "order": (0.5,)})
    assert table["rank"].tolist() == [1.5, 1.5]
    assert [beyond(row) for row in table.to_dict("records")] == [0, 0]
    assert "One seed has no spread" in answer(table)
    assert "beyond noise: none" in answer(table)


def test_a_difference_within_the_spread_over_seeds_is_not_beyond_noise(ranked):
    table = ranked({"time_arrow": (1.0, 0.1, 0.9), "order": (0.9, 1.0, 1.0)})
    order = next(row for row in table.to_dict("records") if row["game"] == "order")
    assert order["against_sd"] > order["against"] > 0
    assert beyond(order) == 0
