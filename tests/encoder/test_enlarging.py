"""A convolution of an enlarged map that is never enlarged says, and learns, what the plain one does."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from napari_tap_events.encoder.enlarging import EnlargingConv
from napari_tap_events.encoder.unet import folded


def plain(layer, small, beside):
    """Enlarge, join, convolve."""
    joined = torch.cat([F.interpolate(small, scale_factor=2.0, mode="nearest"), beside], dim=1)
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    return F.conv2d(F.pad(joined, (1, 1, 1, 1), mode), layer.weight, layer.bias)


@pytest.fixture(params=["zeros", "replicate"])
def layer(request):
    torch.manual_seed(3)
    return EnlargingConv(6, 3, 5, request.param)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 5), (7, 4)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_says_what_the_plain_convolution_says_up_to_every_border(layer, rows, columns, layout):
    small = torch.randn(2, 6, rows, columns).to(memory_format=layout)
    beside = torch.randn(2, 3, 2 * rows, 2 * columns).to(memory_format=layout)
    torch.testing.assert_close(layer(small, beside), plain(layer, small, beside), rtol=0, atol=1e-5)


def test_it_learns_what_the_plain_convolution_learns(layer):
    small, beside = torch.randn(2, 6, 4, 3, requires_grad=True), torch.randn(2, 3, 8, 6, requires_grad=True)
    wanted = torch.randn(2, 5, 8, 6)
    ours, theirs = (
        torch.autograd.grad((said * wanted).sum(), (small, beside, layer.weight))
        for said in (layer(small, beside), plain(layer, small, beside))
    )
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)


def test_its_norm_is_folded_into_it(layer):
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(layer, nn.BatchNorm2d(5))

        def forward(self, small, beside):
            return self.layers[1](self.layers[0](small, beside))

    whole = Both().eval()
    nn.init.uniform_(whole.layers[1].weight, 0.5, 2)
    nn.init.normal_(whole.layers[1].bias)
    small, beside = torch.randn(1, 6, 4, 3), torch.randn(1, 3, 8, 6)
    one = folded(whole)
    assert isinstance(one.layers[1], nn.Identity)
    torch.testing.assert_close(one(small, beside), whole(small, beside), rtol=0, atol=1e-5)
