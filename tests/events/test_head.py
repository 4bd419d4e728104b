"""Heads: the answer for a window in a large map is the answer for that window cut out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from napari_tap_events.events.head import EvidenceHead, HeadShape, ResNetHead, window_means
from napari_tap_events.events.heads import make_head

KINDS = ("evidence", "resnet", "linear")


def head_of(kind: str, *, pair: str = "both", crop: int = 12, stride: int = 4, channels=(5, 1, 1), answers: int = 2):
    torch.manual_seed(1)
    head = make_head(kind, HeadShape(*channels, answers, crop, stride, 2), pair)
    for module in head.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
    return head.eval()


def maps(head, height: int = 40, width: int = 33, channels=(5, 1, 1)):
    torch.manual_seed(2)
    m = head.margin
    return torch.randn(1, 2, sum(channels[:2]), height + 2 * m, width + 2 * m), torch.randn(
        1, channels[2], height + 2 * m, width + 2 * m
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pair", ["both", "mean"])
@pytest.mark.parametrize(("crop", "stride"), [(12, 4), (12, 5), (8, 8), (7, 3)])
def test_the_map_says_of_a_place_what_the_head_says_of_the_crop_there(kind, pair, crop, stride):
    head = head_of(kind, pair=pair, crop=crop, stride=stride)
    frames, pairs = maps(head)
    with torch.no_grad():
        whole = head(frames, pairs)
        assert whole.shape == (1, 2, (40 - crop) // stride + 1, (33 - crop) // stride + 1)
        assert whole.std() > 1e-3
        side = crop + 2 * head.margin
        for i in range(whole.shape[-2]):
            for j in range(whole.shape[-1]):
                part = (..., slice(i * stride, i * stride + side), slice(j * stride, j * stride + side))
                alone = head(frames[part], pairs[part])
                assert alone.shape == (1, 2, 1, 1)
                torch.testing.assert_close(alone[..., 0, 0], whole[..., i, j], rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_another_stride_says_the_same_at_shared_places(kind):
    head = head_of(kind)
    frames, pairs = maps(head)
    with torch.no_grad():
        dense = head.at_stride(frames, pairs, 1)
        for stride in (2, 3, 4, 8):
            sparse = head.at_stride(frames, pairs, stride)
            torch.testing.assert_close(sparse, dense[..., ::stride, ::stride], rtol=0, atol=1e-4)


@pytest.mark.parametrize(("kind", "pair", "blind"), [("resnet", "both", True), ("evidence", "mean", True), ("evidence", "both", False),
                                                     ("linear", "both", False)])  # fmt: skip
def test_which_heads_are_blind_to_the_order_of_frames(kind, pair, blind):
    head = head_of(kind, pair=pair)
    frames, pairs = maps(head)
    with torch.no_grad():
        assert torch.allclose(head(frames, pairs), head(frames.flip(1), pairs), atol=1e-5) == blind


@pytest.mark.parametrize("kind", KINDS)
def test_every_head_reads_the_maps_of_the_pair(kind):
    head = head_of(kind)
    frames, pairs = maps(head)
    with torch.no_grad():
        assert not torch.allclose(head(frames, pairs), head(frames, pairs + 1))


def test_evidence_is_never_negative_and_a_window_is_its_sum_and_a_bias():
    head = head_of("evidence", crop=12, stride=4)
    frames, pairs = maps(head)
    with torch.no_grad():
        evidence = head.pair_part(*head.frame_part(frames[0], 4)[:, None], pairs, 4)
        logits = head(frames, pairs)
    assert evidence.shape == (1, 2, 40, 33)
    assert (evidence >= 0).all()
    by_hand = evidence[0, :, 4:16, 8:20].sum((1, 2)) * 2**2 / 100 + head.bias
    torch.testing.assert_close(logits[0, :, 1, 2], by_hand.detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["evidence", "linear"])
def test_a_head_can_read_the_pair_alone(kind):
    head = head_of(kind, channels=(0, 0, 1))
    frames, pairs = maps(head, channels=(0, 0, 1))
    with torch.no_grad():
        assert head(frames, pairs).shape == (1, 2, 8, 6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_extent_of_windows_is_what_they_need_and_no_more(kind):
    head = head_of(kind)
    for windows in (1, 3):
        side = head.extent(windows)
        with torch.no_grad():
            for extra, count in ((0, windows), (-1, windows - 1)):
                frames, pairs = torch.zeros(1, 2, 6, side + extra, side + extra), torch.zeros(1, 1, side + extra, side + extra)
                if count:
                    assert head(frames, pairs).shape[-2:] == (count, count)


@pytest.mark.parametrize("kind", ["linear", "resnet"])
def test_the_published_heads_are_one_layer_on_both_frames_and_the_pair(kind):
    """Weights are in the order: frame t, frame t + 1 (or the mean of both), maps of the pair."""
    head = head_of(kind)
    frames, pairs = maps(head)
    with torch.no_grad():
        read = head.per_frame(frames[0]).mean(0, keepdim=True) if kind == "resnet" else frames.flatten(1, 2)
        plain = F.conv2d(torch.cat([read, head.inner(pairs)], dim=1), head.flat.weight, head.flat.bias, stride=4)
        torch.testing.assert_close(head(frames, pairs), plain, rtol=0, atol=1e-4)


def test_the_published_resnet_head_has_the_published_layers():
    head = ResNetHead(HeadShape(32, 0, 0, 1, 48, 8, 1))
    assert head.per_frame.first[0].weight.shape == (64, 32, 3, 3)
    assert head.per_frame.second[0].weight.shape == head.per_frame.third[0].weight.shape == (64, 64, 3, 3)
    assert head.flat.weight.shape == (1, 64, 48, 48)
    assert isinstance(make_head("evidence", head.shape), EvidenceHead)


def test_the_maps_of_the_pair_lie_upon_those_of_the_frames():
    """A spot in the pair's map alone is felt by the windows around it, and by no other."""
    for kind in KINDS:
        head = head_of(kind)
        frames, pairs = maps(head)
        m, changed = head.margin, pairs.clone()
        changed[..., m + 20, m + 16] += 10
        with torch.no_grad():
            felt = (head.at_stride(frames, changed, 1) - head.at_stride(frames, pairs, 1)).abs().amax((0, 1)) > 1e-6
        rows, columns = (torch.nonzero(felt.any(axis))[:, 0] for axis in (1, 0))
        assert (int(rows.min()), int(rows.max())) == (20 - 12 + 1, 20)
        assert (int(columns.min()), int(columns.max())) == (16 - 12 + 1, 16)


@pytest.mark.parametrize(("crop", "step"), [(24, 2), (12, 4), (6, 6), (5, 1)])
def test_means_of_windows_are_those_of_each_window(crop, step):
    maps = torch.randn(2, 3, 31, 40)
    torch.testing.assert_close(window_means(maps, crop, step), F.avg_pool2d(maps, crop, step), rtol=0, atol=1e-6)
