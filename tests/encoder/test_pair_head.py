"""The pair head: order counts, every size goes, and untaught it finds nothing."""

from __future__ import annotations

import pytest
import torch

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.features import EncoderFeatures, SeenFrame
from napari_tap_events.encoder.pair_head import EVENT_KINDS, PRIOR, PairHead, evidence, seen
from napari_tap_events.encoder.resampling import pooled
from napari_tap_events.encoder.weights import ArrowEncoder, Card, load_encoder, save_model
from napari_tap_events.settings import EncoderSettings

CPU = Compute(torch.device("cpu"))
SETTINGS = EncoderSettings(preset="unet8")


def taught() -> PairHead:
    torch.manual_seed(0)
    head = PairHead(8).eval()
    torch.nn.init.normal_(head.body[-1].weight)
    return head


def test_untaught_it_gives_every_pixel_its_prior():
    logits = PairHead(8).eval()(torch.randn(1, 2, 8, 16, 16))
    assert torch.allclose(torch.sigmoid(logits), torch.full_like(logits, PRIOR), atol=1e-6)


def test_the_order_of_the_frames_counts():
    z = torch.randn(1, 2, 8, 16, 16)
    assert not torch.allclose(taught()(z), taught()(z.flip(1)), atol=1e-2)


@pytest.mark.parametrize(("height", "width"), [(16, 24), (15, 24), (17, 9)])
def test_any_size_is_answered_pixel_by_pixel(height, width):
    head = taught()
    z = torch.randn(2, 2, 8, height, width)
    assert head(z).shape == (2, len(EVENT_KINDS), height, width)
    assert head.logits(z).shape == (2, len(EVENT_KINDS), -(-height // 2), -(-width // 2))


def test_maps_kept_at_half_resolution_are_the_heads_own_values():
    head = taught()
    z = torch.randn(1, 2, 8, 20, 28)
    torch.testing.assert_close(pooled(head(z)[0], 2), head.logits(z)[0], atol=1e-6, rtol=0)


def test_evidence_of_kinds_adds_up_to_the_probability_of_any():
    logits = torch.tensor([[[[0.3]], [[-1.2]]]])
    by_hand = 1 - (1 - torch.sigmoid(torch.tensor(0.3))) * (1 - torch.sigmoid(torch.tensor(-1.2)))
    assert float(seen(logits)) == pytest.approx(float(by_hand), abs=1e-6)
    assert (evidence(logits) > 0).all()


def seen_by(source: EncoderFeatures, image: torch.Tensor, stride_px: int) -> SeenFrame:
    z = source.frame(image)
    return SeenFrame(image, z, pooled(z, stride_px))


@pytest.mark.parametrize("stride_px", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(32, 40), (33, 40), (32, 41)])
def test_the_maps_of_an_encoder_are_the_arrow_then_each_kind(height, width, stride_px):
    torch.manual_seed(0)
    model = ArrowEncoder(1, SETTINGS, simulated=True).eval()
    torch.nn.init.normal_(model.simulated.body[-1].weight)
    source = EncoderFeatures(model.encoder, model.arrow, CPU, simulated=model.simulated)
    alone = EncoderFeatures(model.encoder, model.arrow, CPU)
    frames = [seen_by(source, image, stride_px) for image in torch.rand(2, 1, height, width)]
    maps = source.pair(*frames, stride_px)
    z = torch.stack([frame.z for frame in frames])[None]
    assert (source.pair_features, source.simulated_features) == (3, 2)
    assert torch.equal(maps[:1], alone.pair(*frames, stride_px))
    torch.testing.assert_close(maps[:1], pooled(model.arrow.arrow(z), stride_px), rtol=0, atol=1e-4)
    torch.testing.assert_close(maps[1:], pooled(model.simulated(z)[0], stride_px), rtol=0, atol=1e-4)
    assert source.fingerprint() != alone.fingerprint()


def test_an_encoder_folder_of_schema_1_still_loads(tmp_path):
    model = ArrowEncoder(1, SETTINGS).eval()
    card = Card(schema_version=1, kind="encoder", name="old", channels=1, features=8, settings=SETTINGS.model_dump(mode="json"))
    save_model(tmp_path, model.state_dict(), card)
    loaded, read = load_encoder(tmp_path, 1)
    assert read.schema_version == 1
    assert loaded.simulated is None
    assert loaded.arrow is not None


def test_a_pair_head_is_kept_with_its_encoder(tmp_path):
    model = ArrowEncoder(1, SETTINGS, arrow=False, simulated=True).eval()
    details = {"arrow": False, "simulated": True}
    save_model(
        tmp_path,
        model.state_dict(),
        Card(kind="encoder", name="new", channels=1, features=8, settings=SETTINGS.model_dump(mode="json"), details=details),
    )
    loaded, _ = load_encoder(tmp_path, 1)
    assert loaded.arrow is None
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in loaded.state_dict().items())
