"""Published weights: an independent forward pass with the published names gives the same features and the same answers."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from napari_tap_events.encoder.import_tap import import_tap
from napari_tap_events.encoder.weights import load_encoder
from napari_tap_events.errors import ModelError

WIDTH = 8


def norm(state, name, channels):
    state[f"{name}.weight"] = torch.rand(channels) + 0.5
    state[f"{name}.bias"] = torch.randn(channels) * 0.2
    state[f"{name}.running_mean"] = torch.randn(channels) * 0.2
    state[f"{name}.running_var"] = torch.rand(channels) + 0.5
    state[f"{name}.num_batches_tracked"] = torch.tensor(3)


def layer(state, name, before, after, size=None):
    shape = (after, before) if size is None else (after, before, size, size)
    state[f"{name}.weight"] = torch.randn(shape) / (before * (size or 1) ** 2) ** 0.5
    state[f"{name}.bias"] = torch.randn(after) * 0.2


def published_state():
    """Random weights under the published names."""
    torch.manual_seed(0)
    state, sizes = {}, [WIDTH * 2**level for level in range(4)]
    blocks = [(f"backbone.l_conv.{n}.conv_block", 1 if n == 0 else sizes[n - 1], sizes[n]) for n in range(4)]
    blocks += [(f"backbone.r_conv.{n}.conv_block", sizes[n] + sizes[n + 1], sizes[n]) for n in range(3)]
    for name, before, after in blocks:
        for place, channels in ((0, before), (3, after)):
            layer(state, f"{name}.{place}", channels, after, 3)
            norm(state, f"{name}.{place + 1}", after)
    layer(state, "backbone.head", WIDTH, WIDTH, 1)
    layer(state, "projection_head.layers.0", WIDTH, WIDTH, 1)
    norm(state, "projection_head.layers.1", WIDTH)
    for name, after in (("layers.0", WIDTH), ("layers.1", WIDTH), ("head.1", 1)):
        for part in ("L", "G"):
            layer(state, f"classification_head.{name}.layers.0.{part}", WIDTH, after)
        if after > 1:
            norm(state, f"classification_head.{name}.layers.0.norm", WIDTH)
    return state


def normed(state, name, x):
    s = {key: state[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")}
    return F.batch_norm(x, s["running_mean"], s["running_var"], s["weight"], s["bias"])


def convolved(state, name, x):
    for place in (0, 3):
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        x = F.conv2d(x, state[f"{name}.{place}.weight"], state[f"{name}.{place}.bias"])
        x = F.leaky_relu(normed(state, f"{name}.{place + 1}", x))
    return x


def features(state, x, level=0):
    left = convolved(state, f"backbone.l_conv.{level}.conv_block", x)
    if level == 3:
        return left
    up = F.interpolate(features(state, F.max_pool2d(left, 2), level + 1), scale_factor=2, mode="nearest")
    return convolved(state, f"backbone.r_conv.{level}.conv_block", torch.cat([left, up], dim=1))


def projected(state, x):
    z = F.conv2d(features(state, x), state["backbone.head.weight"], state["backbone.head.bias"])
    z = F.conv2d(z, state["projection_head.layers.0.weight"], state["projection_head.layers.0.bias"])
    return normed(state, "projection_head.layers.1", z)


def answers(state, z):
    """Logits (2,) for features (2, F, H, W), pixel by pixel with frames as the objects of a set."""
    x = z.permute(2, 3, 0, 1)
    for name in ("layers.0", "layers.1", "head.1"):
        theirs = f"classification_head.{name}.layers.0"
        if name == "head.1":
            x = x.mean((0, 1))
        own = F.linear(x, state[f"{theirs}.L.weight"], state[f"{theirs}.L.bias"])
        x = own + F.linear(x, state[f"{theirs}.G.weight"], state[f"{theirs}.G.bias"]).mean(-2, keepdim=True)
        if name != "head.1":
            x = F.leaky_relu(normed(state, f"{theirs}.norm", x.flatten(0, 2)).unflatten(0, x.shape[:3]))
    return x[:, 0]


def test_imported_weights_give_the_published_features_and_answers(tmp_path):
    state = published_state()
    torch.save(state, tmp_path / "model_state.pt")
    card = import_tap(tmp_path / "model_state.pt", tmp_path / "encoder")
    assert (card.channels, card.features, card.settings["padding"]) == (1, WIDTH, "replicate")
    model, _ = load_encoder(tmp_path / "encoder")
    frames = torch.randn(2, 1, 32, 40)
    with torch.no_grad():
        expected = projected(state, frames)
        torch.testing.assert_close(model.encoder(frames), expected, rtol=0, atol=1e-4)
        logits = model.arrow(expected[None])[0].mean((1, 2))
        theirs = answers(state, expected)
    torch.testing.assert_close(logits[0] - logits[1], theirs[0] - theirs[1], rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda state: state.pop("projection_head.layers.1.weight"), "lacks 'projection_head"),
        (lambda state: state.update({"backbone.head.weight": torch.zeros(5, WIDTH, 1, 1)}), "5 features is none of"),
        (lambda state: state.update({"backbone.r_conv.0.conv_block.0.weight": torch.zeros(8, 9, 3, 3)}), "another one"),
    ],
)
def test_other_networks_are_refused_in_one_sentence(spoil, message, tmp_path):
    state = published_state()
    spoil(state)
    torch.save(state, tmp_path / "state.pt")
    with pytest.raises(ModelError, match=message):
        import_tap(tmp_path / "state.pt", tmp_path / "encoder")
    assert not (tmp_path / "encoder").exists()


def test_a_pickled_model_is_never_run(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "full.pt")
    with pytest.raises(ModelError, match="give the state dict"):
        import_tap(tmp_path / "full.pt", tmp_path / "encoder")
    (tmp_path / "text.pt").write_text("no weights")
    with pytest.raises(ModelError, match="cannot be read"):
        import_tap(tmp_path / "text.pt", tmp_path / "encoder")
