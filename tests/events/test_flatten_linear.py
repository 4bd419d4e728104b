"""The linear layer over windows: a plain convolution as large as the window, only faster."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from napari_tap_events.events.flatten_linear import FlattenLinear


def complete(layer: FlattenLinear, z: torch.Tensor, step: int) -> torch.Tensor:
    above = layer.crop // step - 1
    said = layer(z, step, slice(None)) + layer.bias[:, None, None]
    return said[..., above : said.shape[-2] - above, :]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("step", [1, 2, 3, 4, 6, 12])
def test_all_windows_at_once_are_a_convolution_as_large_as_the_window(step, layout):
    torch.manual_seed(0)
    layer, z = FlattenLinear(3, 2, 12), torch.randn(2, 3, 31, 38).contiguous(memory_format=layout)
    expected = F.conv2d(z, layer.weight, layer.bias, stride=step)
    torch.testing.assert_close(complete(layer, z, step), expected, rtol=0, atol=1e-5)


def test_one_window_is_the_flattened_product():
    layer, z = FlattenLinear(3, 2, 6), torch.randn(1, 3, 6, 6)
    torch.testing.assert_close(complete(layer, z, 2).flatten(), z.flatten() @ layer.weight.flatten(1).T + layer.bias)


def test_windows_that_reach_beyond_the_maps_see_nothing_there():
    layer, z = FlattenLinear(3, 2, 6), torch.randn(1, 3, 4, 10)
    beyond = F.pad(z, (0, 0, 4, 4))
    torch.testing.assert_close(layer(z, 2, slice(None)), F.conv2d(beyond, layer.weight, stride=2), rtol=0, atol=1e-5)


def test_channels_may_be_read_apart():
    layer, z = FlattenLinear(5, 2, 6), torch.randn(1, 5, 12, 12)
    apart = layer(z[:, :3], 3, slice(0, 3)) + layer(z[:, 3:], 3, slice(3, None)) + layer(z[:, :0], 3, slice(0, 0))
    torch.testing.assert_close(apart, layer(z, 3, slice(None)), rtol=0, atol=1e-5)


def test_it_learns_as_a_convolution_does():
    layer, z = FlattenLinear(3, 2, 6), torch.randn(2, 3, 12, 14, requires_grad=True)
    weight = torch.randn(2, 2, 4, 5)
    ours = torch.autograd.grad((complete(layer, z, 2) * weight).sum(), [z, layer.weight, layer.bias])
    plain = torch.autograd.grad((F.conv2d(z, layer.weight, layer.bias, stride=2) * weight).sum(), [z, layer.weight, layer.bias])
    for one, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
