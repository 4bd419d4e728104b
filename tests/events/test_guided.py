"""A head with a guide: it learns as if alone, and answers with both opinions, streamed as it does crop by crop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.events import dense
from napari_tap_events.events.dense import DenseHead
from napari_tap_events.events.detection import find_maxima, opinion_frame, score_frame
from napari_tap_events.events.guided import FLOOR, GuidedHead
from napari_tap_events.events.head import EvidenceHead, HeadShape, answers_for
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.map_tiles import Inputs, MapTiles

CPU = Compute(torch.device("cpu"))
IMAGE_AND_ALL_MAPS = Inputs(features=False, intensity=True, pairs=True, simulated=True)
SHAPE = HeadShape(0, 1, 3, 3, 12, 4, 2, guides=2)


@pytest.fixture
def stored() -> FeatureMaps:
    """Maps of four frames: five features and an image; an arrow map and two channels of a pair head."""
    rng = np.random.default_rng(0)
    frames, pairs = rng.normal(size=(4, 6, 40, 33)), rng.normal(size=(3, 3, 40, 33))
    return FeatureMaps(frames.astype(np.float16), pairs.astype(np.float16), 5, 2, simulated=2)


@pytest.fixture
def head() -> GuidedHead:
    torch.manual_seed(1)
    made = make_head("evidence", SHAPE)
    assert isinstance(made, GuidedHead)
    made.heed(("division", "death"), ("division", "death"))
    made.weigh((1.2, 0.7))
    return made.eval()


def tiles_of(maps: FeatureMaps) -> MapTiles:
    return MapTiles(maps, IMAGE_AND_ALL_MAPS, CPU)


@pytest.mark.parametrize("stride", [4, 2, 6])
def test_streaming_by_a_window_is_the_crop_there_cut_out(head, stored, stride, monkeypatch):
    monkeypatch.setattr(dense, "BAND_VALUES", 1)
    monkeypatch.setattr(dense, "LEAST_ROWS", 9)
    tiles, m = tiles_of(stored), head.margin
    found = DenseHead(head).window_logits(tiles, 1, stride)
    assert found.shape == (3, (40 - 12) // stride + 1, (33 - 12) // stride + 1)
    for i, j in np.ndindex(found.shape[1:]):
        frames, pairs = tiles.block(1, *((stride * k - m, stride * k + 12 + m) for k in (i, j)))
        with torch.no_grad():
            np.testing.assert_allclose(found[:, i, j], head(frames[None], pairs[None])[0, :, 0, 0], atol=1e-4)


def test_while_it_learns_it_answers_for_itself_whatever_the_guide_says(head, stored):
    tiles, m = tiles_of(stored), head.margin
    frames, pairs = (part[None] for part in tiles.block(0, (-m, 12 + m), (-m, 12 + m)))
    other = pairs.clone()
    other[:, -2:] += 3.0
    head.train()
    for module in head.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    assert torch.equal(head(frames, pairs), head(frames, other))
    head.eval()
    assert not torch.allclose(head(frames, pairs), head(frames, other))


def test_its_own_opinion_is_that_of_the_same_head_without_a_guide(head, stored):
    alone = EvidenceHead(replace(SHAPE, pair_channels=1, guides=0))
    own = {name: value for name, value in head.state_dict().items() if name not in ("weights", "heeds", "scale")}
    alone.load_state_dict(own)
    head.train()
    alone.train()
    frames, pairs = (part[None] for part in tiles_of(stored).block(0, (-3, 15), (-3, 15)))
    assert torch.allclose(head(frames, pairs), alone(frames, pairs[:, :1]), atol=1e-6)


def test_with_all_weight_on_the_guide_a_window_scores_the_evidence_that_the_pair_head_gives(head, stored):
    head.weigh((1.0, 0.0))
    said = DenseHead(head).window_logits(tiles_of(stored), 2)
    evidence = np.logaddexp(0, stored.pairs[2, 1:, 4:16, 8:20].astype(np.float64)).mean((1, 2)) * (24**2 / 100)
    np.testing.assert_allclose(said[1:, 1, 2], np.log(evidence + FLOOR), rtol=1e-4)


def test_scores_are_weighed_from_the_opinions_and_candidates_keep_them(head, stored):
    tiles = tiles_of(stored)
    opinions = opinion_frame(DenseHead(head), tiles, 0, 10.0)
    assert opinions.shape == (2, 3, 40, 33)
    np.testing.assert_allclose(score_frame(DenseHead(head), tiles, 0, 10.0), 1.2 * opinions[0] + 0.7 * opinions[1], rtol=1e-5)
    found = find_maxima(head, tiles, range(3), 10.0, 1)
    assert found
    for candidate in found:
        assert candidate.score == pytest.approx(1.2 * candidate.opinions[0][0] + 0.7 * candidate.opinions[1][0], rel=1e-4)


def test_where_several_channels_are_heeded_the_strongest_speaks(stored):
    head = GuidedHead(replace(SHAPE, kinds=1)).eval()
    said = DenseHead(head).said_map(tiles_of(stored), 0)
    np.testing.assert_allclose(said[0], np.logaddexp(0, stored.pairs[0, 1:].astype(np.float32)).max(0), rtol=1e-4)


def test_the_scale_changes_its_own_opinion_alone_of_windows_as_of_places(head, stored):
    tiles = tiles_of(stored)
    before = DenseHead(head).window_opinions(tiles, 0), opinion_frame(DenseHead(head), tiles, 0, 10.0)
    head.rescale(0.5, -1.0)
    after = DenseHead(head).window_opinions(tiles, 0), opinion_frame(DenseHead(head), tiles, 0, 10.0)
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one[0], other[0])
        np.testing.assert_allclose(other[1], 0.5 * one[1] - 1.0, rtol=1e-5)


@pytest.mark.parametrize(
    ("kinds", "told_apart", "heeded"),
    [
        (("division", "death"), ("death", "division"), [[1, 1], [0, 1], [1, 0]]),
        (("death", "fusion"), ("death", "fusion"), [[0, 1], [0, 1], [1, 1]]),
        (("division", "death", "fusion"), ("death", "fusion"), [[1, 1], [0, 1], [1, 1]]),
        (("division",), (), [[1, 0]]),
        (("division", "death"), (), [[1, 1]]),
        (("fusion",), (), [[1, 1]]),
    ],
)
def test_an_answer_heeds_the_channels_of_its_kinds_and_all_where_there_are_none(kinds, told_apart, heeded):
    head = GuidedHead(replace(SHAPE, kinds=answers_for(told_apart)))
    head.heed(kinds, told_apart)
    assert head.heeds.tolist() == heeded


def test_weights_are_kept_with_the_head(head):
    other = make_head("evidence", SHAPE)
    other.load_state_dict(head.state_dict())
    assert other.weights.tolist() == pytest.approx([1.2, 0.7])
    assert torch.equal(other.heeds, head.heeds)
