"""The arrow head: what it says of two frames it says the other way round of the frames the other way round."""

from __future__ import annotations

import torch
from torch import nn

from napari_tap_events.encoder.arrow import ArrowHead, EquivariantLayer, joined


def lively_head(features: int = 8) -> ArrowHead:
    torch.manual_seed(1)
    head = ArrowHead(features)
    for module in head.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return head.eval()


def test_swapping_frames_swaps_the_answer():
    head, z = lively_head(), torch.randn(3, 2, 8, 12, 10)
    with torch.no_grad():
        logits = head(z)
        assert (logits[:, 0] - logits[:, 1]).abs().max() > 0.01
        torch.testing.assert_close(head(z.flip(1)), logits.flip(1), rtol=0, atol=1e-5)
        torch.testing.assert_close(head.arrow(z.flip(1)), -head.arrow(z), rtol=0, atol=1e-5)


def test_joined_for_inference_it_says_the_same():
    head, z = lively_head(), torch.randn(3, 2, 8, 12, 10)
    quick = joined(head)
    with torch.no_grad():
        torch.testing.assert_close(quick(z.flatten(1, 2))[:, 0], head.arrow(z), rtol=0, atol=1e-5)
    assert not any(p.requires_grad for p in quick.parameters())


def test_two_equal_frames_have_no_order():
    frame = torch.randn(2, 1, 8, 6, 6)
    with torch.no_grad():
        assert lively_head().arrow(torch.cat([frame, frame], dim=1)).abs().max() < 1e-5


def test_a_layer_is_that_of_the_paper():
    torch.manual_seed(0)
    layer, z = EquivariantLayer(4, 3), torch.randn(1, 2, 4, 1, 1)
    local, shared = layer.local.weight[:, :, 0, 0], layer.shared.weight[:, :, 0, 0]
    mean = (z[0, 0, :, 0, 0] + z[0, 1, :, 0, 0]) / 2
    for s in (0, 1):
        by_hand = local @ z[0, s, :, 0, 0] + layer.local.bias + shared @ mean
        torch.testing.assert_close(layer(z)[0, s, :, 0, 0], by_hand)


def test_the_mean_of_the_arrow_map_over_a_crop_is_the_logit_of_the_pair():
    """Pooling before the last layer, as published, and averaging its map are one and the same."""
    head, z = lively_head(), torch.randn(2, 2, 8, 9, 7)
    with torch.no_grad():
        hidden = z
        for layer, norm in zip(head.layers, head.norms, strict=True):
            hidden = head.activation(norm(layer(hidden).flatten(0, 1))).unflatten(0, hidden.shape[:2])
        logits = head.last(hidden.mean((-2, -1), keepdim=True))[..., 0, 0, 0]
        torch.testing.assert_close(head.arrow(z).mean((1, 2)), logits[:, 0] - logits[:, 1], rtol=0, atol=1e-5)


def test_each_pixel_is_judged_by_itself():
    head, z = lively_head(), torch.randn(1, 2, 8, 12, 12)
    with torch.no_grad():
        whole = head.arrow(z)
        torch.testing.assert_close(head.arrow(z[..., 3:7, 5:11]), whole[:, 3:7, 5:11], rtol=0, atol=1e-5)
