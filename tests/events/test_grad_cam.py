"""Grad-CAM: worked out by hand where it can be, and high where the evidence is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from napari_tap_events.encoder.arrow import ArrowHead
from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.events.grad_cam import RankedInsets, arrow_cam, event_cam
from napari_tap_events.events.head import HeadShape
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.map_tiles import Inputs, MapTiles

CPU = Compute(torch.device("cpu"))


def tiles_of(frames: np.ndarray) -> MapTiles:
    pairs = np.zeros((len(frames) - 1, 0, *frames.shape[2:]), np.float16)
    return MapTiles(FeatureMaps(frames.astype(np.float16), pairs, frames.shape[1], 2), Inputs(), CPU)


def test_one_window_of_a_linear_head_by_hand():
    torch.manual_seed(0)
    head = make_head("linear", HeadShape(3, 0, 0, 1, 8, 8, 2)).eval()
    nn.init.normal_(head.flat.weight)
    frames = np.random.default_rng(0).normal(size=(2, 3, 8, 8))
    tiles = tiles_of(frames)
    z = tiles.block(0, (0, 8), (0, 8))[0]
    weight = head.flat.weight.detach()[0].view(2, 3, 8, 8)
    probability = torch.sigmoid((weight * z).sum() + head.flat.bias[0]).item()
    padded = np.pad(weight.numpy(), ((0, 0), (0, 0), (4, 4), (4, 4)), constant_values=np.nan)
    around = np.nanmean(np.lib.stride_tricks.sliding_window_view(padded, (9, 9), (2, 3)), (-2, -1))
    by_hand = (probability * around * z.numpy()).sum(1).clip(min=0).mean(0)
    np.testing.assert_allclose(event_cam(head, tiles, 0), by_hand, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["evidence", "resnet", "linear"])
def test_a_map_has_the_size_of_the_frame_is_never_negative_and_leaves_the_head_alone(kind):
    torch.manual_seed(1)
    head = make_head(kind, HeadShape(3, 0, 0, 2, 8, 4, 2)).eval()
    before = {name: value.clone() for name, value in head.state_dict().items()}
    cam = event_cam(head, tiles_of(np.random.default_rng(0).normal(size=(2, 3, 24, 20))), 0)
    assert cam.shape == (24, 20)
    assert cam.dtype == np.float32
    assert cam.min() >= 0
    assert all(parameter.grad is None for parameter in head.parameters())
    assert all(torch.equal(before[name], value) for name, value in head.state_dict().items())


def test_a_head_that_reads_the_image_is_not_explained_by_its_brightness():
    """Two nuclei, equally bright: the guide sees an event in one of them, and only that one lights up."""
    torch.manual_seed(1)
    head = make_head("evidence", HeadShape(0, 1, 1, 1, 12, 2, 2, guides=1))
    head.heed(("division",))
    head.eval()
    frames, pairs = np.zeros((2, 1, 48, 48)), np.full((1, 1, 48, 48), -8.0)
    for y, x in ((12, 12), (36, 36)):
        frames[:, 0, y - 3 : y + 3, x - 3 : x + 3] = 1.0
    pairs[0, 0, 34:38, 34:38] = 6.0
    maps = FeatureMaps(frames.astype(np.float16), pairs.astype(np.float16), 0, 2, simulated=1)
    inputs = Inputs(features=False, intensity=True, pairs=True, simulated=True)
    cam = event_cam(head, MapTiles(maps, inputs, CPU), 0)
    assert cam.shape == (48, 48)
    assert cam[34:38, 34:38].max() == cam.max()
    assert cam[6:18, 6:18].max() < 0.05 * cam.max()


def test_the_arrow_is_explained_by_the_absolute_value_by_hand():
    torch.manual_seed(2)
    head = ArrowHead(4).eval()
    z = torch.randn(2, 4, 6, 5)
    leaf = z.clone().requires_grad_(True)
    head.arrow(leaf[None]).mean().backward()
    by_hand = (leaf.grad.mean((2, 3), keepdim=True) * z).sum(1).abs().mean(0)
    np.testing.assert_allclose(arrow_cam(head, z), by_hand.numpy(), rtol=1e-5, atol=1e-8)


def test_insets_are_ranked_and_half_an_inset_apart():
    ranked = RankedInsets(4, 16, 2)
    for t in range(6):
        cam = np.zeros((40, 40), np.float32)
        cam[10 + t, 10], cam[30, 30 - t] = 5 + t, 3
        ranked.look(t, cam)
    values = [inset.value for inset in ranked.found]
    assert 3 <= len(values) <= 4
    assert values == sorted(values, reverse=True)
    for i, a in enumerate(ranked.found):
        for b in ranked.found[i + 1 :]:
            assert abs(a.t - b.t) > 2 or max(abs(a.y - b.y), abs(a.x - b.x)) >= 8
    assert (ranked.found[0].t, ranked.found[0].y, ranked.found[0].x) == (5, 15 * 2 + 0.5, 10 * 2 + 0.5)


def test_where_there_is_nothing_there_is_no_inset():
    ranked = RankedInsets(4, 16, 2)
    ranked.look(0, np.zeros((20, 20), np.float32))
    assert ranked.found == []


@pytest.mark.parametrize("seed", range(5))
def test_the_order_in_which_maps_come_changes_no_inset(seed):
    rng = np.random.default_rng(seed)
    cams = rng.random((40, 24, 24)).astype(np.float32)
    found = []
    for order in (range(40), reversed(range(40)), rng.permutation(40)):
        ranked = RankedInsets(5, 16, 2)
        for t in order:
            ranked.look(int(t), cams[t])
        found.append(ranked.found)
    assert len(found[0]) == 5
    assert found[0] == found[1] == found[2]


def test_what_was_pushed_aside_comes_back_when_its_rival_is_pushed_aside():
    ranked = RankedInsets(2, 16, 2)
    for t, height in ((0, 5.0), (2, 7.0), (4, 9.0)):
        cam = np.zeros((24, 24), np.float32)
        cam[12, 12] = height
        ranked.look(t, cam)
    assert [inset.t for inset in ranked.found] == [4, 0]
