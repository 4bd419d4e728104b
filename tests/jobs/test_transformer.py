"""A transformer goes the whole way: pretrained, as a control, and taught from end to end."""

from __future__ import annotations

import pytest
from torch import nn

from napari_tap_events.jobs.detect import detect
from napari_tap_events.jobs.output import Run
from napari_tap_events.jobs.pretrain import pretrain
from napari_tap_events.jobs.train import train
from napari_tap_events.settings import DetectSettings


@pytest.mark.parametrize("encoder", ["pretrained", "random", "scratch"])
def test_a_transformer_goes_the_whole_way(encoder, marked, tap, quick, finish, tmp_path):
    given = encoder
    if encoder == "pretrained":
        settings = tap.model_copy(update={"preset": "vit_tiny", "steps": 2})
        given = str(finish(pretrain([marked.movie], settings, Run(tmp_path / "encoder"))))
    asked = quick.model_copy(update={"encoder": given, "preset": "vit_tiny", "steps": 2})
    head = finish(train([marked.labelled], asked, Run(tmp_path / "head")))
    out = finish(detect(marked.movie, head, DetectSettings(), Run(tmp_path / "found")))
    assert (out / "events.csv").exists()


def test_where_it_cannot_be_compiled_it_learns_as_it_is(marked, tap, tmp_path, monkeypatch):
    def refuse(self, *_, **__):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(nn.Module, "compile", refuse)
    settings = tap.model_copy(update={"preset": "vit_tiny", "steps": 1, "compile": True})
    told = [report.message for report in pretrain([marked.movie], settings, Run(tmp_path / "encoder"))]
    assert any("could not be compiled (no compiler)" in message for message in told)
    assert (tmp_path / "encoder" / "card.json").exists()
