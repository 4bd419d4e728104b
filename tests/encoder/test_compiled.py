"""A network that can be compiled says the same as before; one that cannot is left as it is, with a reason."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_tap_events.encoder.compiled import compile_where_possible
from napari_tap_events.encoder.compute import Compute

CPU = Compute(torch.device("cpu"))


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.LeakyReLU())


def test_a_compiler_that_fails_leaves_the_network_as_it_is(monkeypatch):
    def refuse(self, *_, **__):
        raise RuntimeError("InvalidCxxCompiler: no working C++ compiler\nset CXX")

    monkeypatch.setattr(nn.Module, "compile", refuse)
    one, image = network(), torch.randn(1, 1, 8, 8)
    before = {name: value.clone() for name, value in one.state_dict().items()}
    assert compile_where_possible(one, image, CPU) == "InvalidCxxCompiler: no working C++ compiler"
    assert all(torch.equal(value, before[name]) for name, value in one.state_dict().items())
    assert all(parameter.grad is None for parameter in one.parameters())


def test_a_lack_of_memory_is_no_lack_of_a_compiler(monkeypatch):
    def full(self, *_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(nn.Module, "compile", full)
    with pytest.raises(torch.OutOfMemoryError):
        compile_where_possible(network(), torch.randn(1, 1, 8, 8), CPU)


def test_compiled_by_the_plainest_backend_it_learns_the_same_under_the_same_names(monkeypatch):
    plain = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda self: plain(self, backend="eager"))
    one, other, image = network(), network(), torch.randn(2, 1, 8, 8)
    assert compile_where_possible(one, image, CPU) == ""
    answers = [net(image) for net in (one, other)]
    torch.testing.assert_close(answers[0], answers[1])
    answers[0].sum().backward()
    assert all(parameter.grad is not None for parameter in one.parameters())
    assert list(one.state_dict()) == list(other.state_dict())
    torch.compiler.reset()
