"""Heads over whole frames: strips and memory maps change nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.events import dense, map_tiles
from napari_tap_events.events.dense import any_kind, evidence_map, window_logits
from napari_tap_events.events.head import HeadShape, make_head
from napari_tap_events.events.map_tiles import Inputs, MapTiles

CPU = Compute(torch.device("cpu"))
KINDS = ("evidence", "resnet", "linear")


@pytest.fixture
def stored() -> FeatureMaps:
    rng = np.random.default_rng(0)
    return FeatureMaps(
        rng.normal(size=(4, 6, 40, 33)).astype(np.float16), rng.normal(size=(3, 1, 40, 33)).astype(np.float16), 5, 2
    )


def head_of(kind: str, channels=(5, 0, 1)):
    torch.manual_seed(1)
    return make_head(kind, HeadShape(*channels, 2, 12, 4, 2), "both").eval()


def tiles_of(maps: FeatureMaps) -> MapTiles:
    return MapTiles(maps, Inputs(features=True, intensity=False, pairs=True), CPU)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strip", [1, 3, 64])
@pytest.mark.parametrize("stride", [None, 1, 4, 6])
def test_strips_equal_the_frame_in_one_piece(kind, strip, stride, stored, monkeypatch):
    head = head_of(kind)
    m = head.margin
    frames, pairs = tiles_of(stored).block(1, (-m, 40 + m), (-m, 33 + m))
    with torch.no_grad():
        whole = head.at_stride(frames[None], pairs[None], stride or 4)[0].numpy()
    monkeypatch.setattr(dense, "STRIP_WINDOWS", strip)
    np.testing.assert_allclose(window_logits(head, tiles_of(stored), 1, stride), whole, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_every_window_of_a_frame_is_the_crop_there_cut_out_with_its_margin(kind, stored):
    head, tiles = head_of(kind), tiles_of(stored)
    logits = window_logits(head, tiles, 2)
    assert logits.shape == (2, 8, 6)
    for i in (0, 3, 7):
        for j in (0, 5):
            rows, columns = ((4 * k - head.margin, 4 * k + 12 + head.margin) for k in (i, j))
            frames, pairs = tiles.block(2, rows, columns)
            with torch.no_grad():
                alone = head(frames[None], pairs[None])[0, :, 0, 0].numpy()
            np.testing.assert_allclose(logits[:, i, j], alone, atol=1e-4)


def test_evidence_of_a_frame_pools_to_its_windows(stored):
    head, tiles = head_of("evidence"), tiles_of(stored)
    evidence = evidence_map(head, tiles, 0)
    assert evidence.shape == (2, 40, 33)
    pooled = head.pool(torch.from_numpy(evidence)[None], 4)[0].detach().numpy()
    np.testing.assert_allclose(window_logits(head, tiles, 0), pooled, atol=1e-4)


def test_blocks_outside_of_the_frame_repeat_its_border(stored):
    frames, pairs = tiles_of(stored).block(0, (-2, 5), (30, 36))
    expected = np.pad(stored.frames[0:2, :5], ((0, 0), (0, 0), (2, 0), (0, 3)), mode="edge")[:, :, :7, 30:36]
    assert np.array_equal(frames.numpy(), expected.astype(np.float32))
    assert pairs.shape == (1, 7, 6)


def test_maps_that_are_too_large_to_be_resident_are_read_where_they_lie(stored, monkeypatch):
    resident = tiles_of(stored).block(1, (-3, 20), (5, 40))
    monkeypatch.setattr(map_tiles, "RESIDENT_BYTES", 10)
    stored_only = tiles_of(stored)
    assert stored_only._frames is None
    assert all(torch.equal(a, b) for a, b in zip(resident, stored_only.block(1, (-3, 20), (5, 40)), strict=True))


@pytest.mark.parametrize(
    ("inputs", "channels", "pairs"),
    [(Inputs(), [0, 1, 2, 3, 4], 0), (Inputs(intensity=True), [0, 1, 2, 3, 4, 5], 0), (Inputs(False, True), [5], 0),
     (Inputs(False, False, True), [], 1), (Inputs(True, False, True), [0, 1, 2, 3, 4], 1)],
)  # fmt: skip
def test_a_head_is_given_the_maps_that_it_asks_for(inputs, channels, pairs, stored):
    assert (sum(inputs.channels(stored)[:2]), inputs.channels(stored)[2]) == (len(channels), pairs)
    for rows in ((0, 40), (-3, 43)):
        frames, arrow = MapTiles(stored, inputs, CPU).block(1, rows, (0, 33))
        inner = slice(-rows[0], 40 - rows[0])
        assert np.array_equal(frames[..., inner, :].numpy(), stored.frames[1:3, channels].astype(np.float32))
        assert arrow.shape == (pairs, rows[1] - rows[0], 33)


def test_half_precision_of_maps_is_the_only_loss(stored):
    finer = replace(stored, frames=stored.frames.astype(np.float32))
    head = head_of("linear")
    np.testing.assert_allclose(window_logits(head, tiles_of(finer), 0), window_logits(head, tiles_of(stored), 0), atol=1e-6)


def test_the_probability_of_any_event_is_that_of_not_none():
    p = np.array([0.5, 0.2, 0.0], np.float32).reshape(3, 1, 1)
    assert any_kind(p).item() == pytest.approx(1 - 0.5 * 0.8)
    assert any_kind(p[:1]).item() == pytest.approx(0.5)
