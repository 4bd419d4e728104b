"""Heads over whole frames: bands, kept parts of frames and memory maps change nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.events import dense, map_tiles
from napari_tap_events.events.dense import DenseHead, Said
from napari_tap_events.events.head import HeadShape
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.map_tiles import Inputs, MapTiles

CPU = Compute(torch.device("cpu"))
KINDS = ("evidence", "resnet", "linear")
READS = {
    "features": Inputs(),
    "features and arrow": Inputs(pairs=True),
    "features, image and arrow": Inputs(intensity=True, pairs=True),
    "image": Inputs(features=False, intensity=True),
}


@pytest.fixture
def stored() -> FeatureMaps:
    rng = np.random.default_rng(0)
    return FeatureMaps(
        rng.normal(size=(4, 6, 40, 33)).astype(np.float16), rng.normal(size=(3, 1, 40, 33)).astype(np.float16), 5, 2
    )


def head_of(kind: str, channels=(5, 0, 1), pair: str = "both"):
    torch.manual_seed(1)
    head = make_head(kind, HeadShape(*channels, 2, 12, 4, 2), pair)
    for module in head.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
    return head.eval()


def tiles_of(maps: FeatureMaps, inputs: Inputs = READS["features and arrow"]) -> MapTiles:
    return MapTiles(maps, inputs, CPU)


def passing(maps: FeatureMaps, inputs: Inputs, t: int) -> MapTiles:
    """The maps of the frames t and t + 1 alone, as they stream by."""
    return MapTiles(replace(maps, frames=maps.frames[t : t + 2], pairs=maps.pairs[t : t + 1]), inputs, CPU, first=t)


def one_by_one(head, tiles: MapTiles, t: int, stride: int) -> np.ndarray:
    """What the head says of each window, cut out with its margin and judged by itself."""
    rows, columns = ((size - 12) // stride + 1 for size in (tiles.height, tiles.width))
    m, out = head.margin, np.zeros((2, rows, columns), np.float32)
    for i in range(rows):
        for j in range(columns):
            frames, pairs = tiles.block(t, *((stride * k - m, stride * k + 12 + m) for k in (i, j)))
            with torch.no_grad():
                out[:, i, j] = head(frames[None], pairs[None])[0, :, 0, 0]
    return out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [1, 9, 1000])
@pytest.mark.parametrize("stride", [None, 1, 4, 5, 6])
def test_bands_equal_the_frame_in_one_piece(kind, rows, stride, stored, monkeypatch):
    head = head_of(kind)
    m = head.margin
    frames, pairs = tiles_of(stored).block(1, (-m, 40 + m), (-m, 33 + m))
    with torch.no_grad():
        whole = head.at_stride(frames[None], pairs[None], stride or 4)[0].numpy()
    monkeypatch.setattr(dense, "BAND_VALUES", 1)
    monkeypatch.setattr(dense, "LEAST_ROWS", rows)
    np.testing.assert_allclose(DenseHead(head).window_logits(tiles_of(stored), 1, stride), whole, atol=1e-5)


@pytest.mark.parametrize("reads", READS)
@pytest.mark.parametrize(("kind", "pair"), [("evidence", "both"), ("evidence", "mean"), ("resnet", "both"), ("linear", "both")])
def test_streaming_by_every_window_is_the_crop_there_cut_out_with_its_margin(kind, pair, reads, stored, monkeypatch):
    monkeypatch.setattr(dense, "BAND_VALUES", 1)
    monkeypatch.setattr(dense, "LEAST_ROWS", 9)
    inputs = READS[reads]
    head = head_of(kind, inputs.channels(stored), pair)
    streamed = DenseHead(head)
    for t in range(3):
        for stride in (4, 2, 6):
            found = streamed.window_logits(passing(stored, inputs, t), t, stride)
            np.testing.assert_allclose(found, one_by_one(head, tiles_of(stored, inputs), t, stride), atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stride_that_does_not_fit_the_crop_says_the_same_of_the_crop_there(kind, stored):
    head, tiles = head_of(kind), tiles_of(stored)
    np.testing.assert_allclose(DenseHead(head).window_logits(tiles, 2, 5), one_by_one(head, tiles, 2, 5), atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_read_once_and_only_the_last_is_kept(kind, stored, monkeypatch):
    monkeypatch.setattr(dense, "BAND_VALUES", 1)
    monkeypatch.setattr(dense, "LEAST_ROWS", 20)
    read, plain = [], MapTiles.frame
    monkeypatch.setattr(MapTiles, "frame", lambda self, t, rows, x: read.append((t, rows)) or plain(self, t, rows, x))
    streamed, tiles = DenseHead(head_of(kind)), tiles_of(stored)
    for t in range(3):
        streamed.window_logits(tiles, t)
        streamed.window_logits(tiles, t, 8)
        assert {at for at, _ in streamed._frames} == {t + 1}
    assert len(read) == len(set(read)) == 2 * 4


@pytest.mark.parametrize("kind", KINDS)
def test_frame_pairs_may_be_asked_for_in_any_order(kind, stored):
    streamed, tiles = DenseHead(head_of(kind)), tiles_of(stored)
    for t in (0, 2, 1, 1, 2, 0):
        assert np.array_equal(streamed.window_logits(tiles, t), DenseHead(head_of(kind)).window_logits(tiles, t))
        assert {at for at, _ in streamed._frames} == {t + 1}


def test_evidence_of_a_frame_pools_to_its_windows(stored):
    head, tiles = head_of("evidence"), tiles_of(stored)
    evidence = head.evidence(DenseHead(head).said_map(tiles, 0))
    assert evidence.shape == (2, 40, 33)
    pooled = head.windows(torch.from_numpy(evidence)[None], 4)[0].detach().numpy()
    np.testing.assert_allclose(DenseHead(head).window_logits(tiles, 0), pooled, atol=1e-4)


def test_blocks_outside_of_the_frame_repeat_its_border(stored):
    frames, pairs = tiles_of(stored).block(0, (-2, 5), (30, 36))
    expected = np.pad(stored.frames[0:2, :5], ((0, 0), (0, 0), (2, 0), (0, 3)), mode="edge")[:, :, :7, 30:36]
    assert np.array_equal(frames.numpy(), expected.astype(np.float32))
    assert pairs.shape == (1, 7, 6)


def test_maps_that_are_too_large_to_be_resident_are_read_where_they_lie(stored, monkeypatch):
    resident = tiles_of(stored).block(1, (-3, 20), (5, 40))
    monkeypatch.setattr(map_tiles, "RESIDENT_BYTES", 10)
    stored_only = tiles_of(stored)
    assert stored_only._frames.resident is None
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


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_says_about_the_same(kind, stored):
    head, tiles = head_of(kind), tiles_of(stored)
    rough = MapTiles(stored, READS["features and arrow"], replace(CPU, bfloat16=True))
    exact, found = (DenseHead(head).window_logits(each, 0) for each in (tiles, rough))
    assert not np.array_equal(found, exact)
    np.testing.assert_allclose(found, exact, atol=0.05)


def test_half_precision_of_maps_is_the_only_loss(stored):
    finer = replace(stored, frames=stored.frames.astype(np.float32))
    head = head_of("linear")
    np.testing.assert_allclose(
        DenseHead(head).window_logits(tiles_of(finer), 0), DenseHead(head).window_logits(tiles_of(stored), 0), atol=1e-6
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_said_is_not_asked_again(kind, stored, monkeypatch):
    head, tiles, said = head_of(kind), tiles_of(stored), Said()
    first = [DenseHead(head, said).window_logits(tiles, t) for t in range(3)]
    again = DenseHead(head, said)
    fine = DenseHead(head).window_logits(tiles, 1, 5)
    np.testing.assert_array_equal(again.window_logits(tiles, 1, 5), fine)  # another distance is another question
    monkeypatch.setattr(DenseHead, "_band", None)
    for t in (1, 0, 2):
        np.testing.assert_array_equal(DenseHead(head, said).window_logits(tiles, t), first[t])


def test_more_than_there_is_room_for_is_asked_again(stored):
    head, tiles = head_of("evidence"), tiles_of(stored)
    one = DenseHead(head).said_map(tiles, 0)
    said = Said(most_bytes=2 * one.nbytes)
    for t in range(3):
        DenseHead(head, said).said_map(tiles, t)
    assert [said.find(t, 4) is None for t in range(3)] == [False, False, True]
