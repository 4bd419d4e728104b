"""The transformer: as large as its name says, any size in, the same size out, and blind beyond its window."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.features import EncoderFeatures
from napari_tap_events.encoder.unet import Encoder, folded
from napari_tap_events.encoder.vit import WINDOWS
from napari_tap_events.encoder.weights import ArrowEncoder, Card, load_encoder, save_model
from napari_tap_events.settings import EncoderSettings

CPU = Compute(torch.device("cpu"))
TINY = EncoderSettings(preset="vit_tiny")


def lively(channels: int = 1) -> Encoder:
    """An encoder in eval mode whose BatchNorms are not neutral."""
    torch.manual_seed(3)
    encoder = Encoder(channels, TINY)
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2.0)
    return encoder.eval()


def test_small_has_the_size_of_small():
    encoder = Encoder(1, EncoderSettings(preset="vit_small"))
    assert encoder.features == 32
    assert sum(p.numel() for block in encoder.vit.blocks for p in block.parameters()) == pytest.approx(21.3e6, rel=0.01)
    assert sum(p.numel() for p in encoder.parameters()) == pytest.approx(21.6e6, rel=0.01)


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (48, 96), (97, 33), (100, 130)])
def test_any_size_comes_out_as_it_went_in(size):
    with torch.no_grad():
        assert lively()(torch.randn(2, 1, *size)).shape == (2, 16, *size)


def test_a_frame_is_encoded_alike_however_much_memory_there_is():
    encoder, image = lively(), torch.randn(1, 200, 152)
    small, large = (EncoderFeatures(encoder, None, CPU, tile_px).frame(image) for tile_px in (64, 512))
    assert torch.equal(small, large)


def test_what_lies_beyond_the_window_is_not_seen_and_what_lies_inside_is():
    encoder = lively()
    image = torch.randn(1, 1, 192, 192)
    with torch.no_grad():
        before = encoder(image)
        changed = image.clone()
        changed[..., 70, 100] += 50
        felt = torch.nonzero((encoder(changed) - before).abs().amax((0, 1)) > 0)
    assert felt.amin(0).tolist() == [0, 64], "row 70 lies in the margin of the blocks above, column 100 in no margin"
    assert felt.amax(0).tolist() == [127, 127]
    assert WINDOWS.side_px == 96


def test_folding_the_norms_changes_no_answer():
    encoder, image = lively(2), torch.randn(2, 2, 100, 48)
    quick = folded(encoder)
    with torch.no_grad():
        whole = encoder(image)
        assert whole.std() > 0.01
        torch.testing.assert_close(quick(image), whole, rtol=0, atol=1e-4)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in quick.modules())


def test_every_weight_learns():
    encoder = Encoder(1, TINY)
    encoder(torch.randn(4, 1, 48, 48)).square().mul(torch.randn(16, 48, 48)).mean().backward()
    assert [name for name, weight in encoder.named_parameters() if weight.grad is None or not weight.grad.abs().sum()] == []


def test_where_a_patch_lies_matters():
    """Attention alone would answer the same for patches in any order."""
    encoder, image = lively(), torch.randn(1, 1, 64, 64)
    with torch.no_grad():
        tokens = encoder.vit.stem(encoder.vit.fine(image)).flatten(2).transpose(1, 2)
        block = encoder.vit.blocks[0]
        torch.testing.assert_close(block(tokens.flip(1)).flip(1), block(tokens), rtol=0, atol=1e-5)
        shape = (1, -1, 8, 8)
        placed = [encoder.vit.place(part.transpose(1, 2).reshape(shape)) for part in (tokens, tokens.flip(1))]
    assert not torch.allclose(placed[0], placed[1].flip(2, 3), atol=1e-3)


def test_it_is_kept_and_read_like_any_encoder(tmp_path):
    model = ArrowEncoder(1, TINY).eval()
    settings = TINY.model_dump(mode="json")
    save_model(tmp_path, model.state_dict(), Card(kind="encoder", name="v", channels=1, features=16, settings=settings))
    loaded, _ = load_encoder(tmp_path, 1)
    image = torch.randn(1, 1, 40, 48)
    with torch.no_grad():
        assert torch.equal(loaded.encoder(image), model.encoder(image))
