"""The U-Net: as large as published, any size in, the same size out, and as blind to far pixels as its halo says."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_tap_events.encoder.pair_head import PairHead
from napari_tap_events.encoder.unet import HALO_PX, Encoder, folded, pad_to_multiple
from napari_tap_events.settings import EncoderSettings


def lively(preset: str = "unet8", padding: str = "zeros", channels: int = 1) -> Encoder:
    """An encoder in eval mode whose BatchNorms are not neutral."""
    torch.manual_seed(3)
    encoder = Encoder(channels, EncoderSettings(preset=preset, padding=padding))
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2.0)
    return encoder.eval()


def test_the_published_network_has_the_published_size():
    encoder = Encoder(1, EncoderSettings(preset="unet32", padding="replicate"))
    weights = sum(p.numel() for p in encoder.unet.parameters())
    projection = sum(p.numel() for p in encoder.projection.parameters())
    assert weights == pytest.approx(1.95e6, rel=0.01)
    assert projection == pytest.approx(1.1e3, rel=0.02)


def test_unet16_costs_about_a_quarter():
    sizes = {p: sum(w.numel() for w in Encoder(1, EncoderSettings(preset=p)).parameters()) for p in ("unet32", "unet16")}
    assert sizes["unet16"] / sizes["unet32"] == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (40, 33), (9, 64)])
def test_any_size_comes_out_as_it_went_in(size):
    with torch.no_grad():
        assert lively()(torch.randn(2, 1, *size)).shape == (2, 8, *size)


def test_a_frame_is_continued_by_its_last_pixels():
    image = torch.arange(30.0).view(1, 1, 5, 6)
    padded = pad_to_multiple(image)
    assert padded.shape == (1, 1, 8, 8)
    assert torch.equal(padded[..., :5, :6], image)
    assert torch.equal(padded[..., 5:, :6], image[..., 4:5, :].expand(-1, -1, 3, -1))
    assert torch.equal(padded[..., :5, 6:], image[..., 5:].expand(-1, -1, -1, 2))


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
def test_folding_the_norms_changes_no_answer(padding):
    encoder = lively("unet16", padding, channels=2)
    image = torch.randn(2, 2, 40, 48)
    quick = folded(encoder)
    with torch.no_grad():
        whole = encoder(image)
        assert whole.std() > 0.01
        torch.testing.assert_close(quick(image), whole, rtol=0, atol=1e-4)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in quick.modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in encoder.modules())


def reach(padding: str) -> int:
    """How far a change of one block of pixels is felt, at most over its places within a pooling cell, in px."""
    encoder, middle = lively("unet8", padding).double(), 96
    image = torch.randn(1, 1, 192, 192, dtype=torch.float64)
    farthest = 0
    with torch.no_grad():
        before = encoder(image)
        for shift in range(8):
            changed = image.clone()
            changed[..., middle + shift, middle + shift] += 100.0
            rows = torch.nonzero((encoder(changed) - before).abs().amax((0, 1, 3)))[:, 0]
            farthest = max(farthest, middle + shift - int(rows.min()), int(rows.max()) - middle - shift)
    return farthest


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
def test_no_pixel_is_felt_beyond_the_halo_and_the_halo_is_not_lavish(padding):
    assert HALO_PX - 16 <= reach(padding) <= HALO_PX


def test_every_channel_of_the_image_is_read():
    encoder, image = lively(channels=3), torch.randn(1, 3, 16, 16)
    with torch.no_grad():
        before = encoder(image)
        for channel in range(3):
            changed = image.clone()
            changed[:, channel] += 1
            assert not torch.allclose(encoder(changed), before)


def test_every_norm_behind_a_convolution_is_folded_wherever_it_stands():
    torch.manual_seed(0)
    head = PairHead(8)
    for module in head.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            module.running_mean.normal_(0, 0.2)
    nn.init.normal_(head.body[-1].weight)
    quick = folded(head)
    assert not [module for module in quick.modules() if isinstance(module, nn.BatchNorm2d)]
    z = torch.randn(1, 2, 8, 16, 24)
    torch.testing.assert_close(quick(z), head.eval()(z), rtol=0, atol=1e-4)
