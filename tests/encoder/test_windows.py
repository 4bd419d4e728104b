"""Windows: any size comes out as it went in, and a pixel's answer follows from its window alone, wherever the frame ends."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from napari_tap_events.encoder.windows import AT_A_TIME, Windows

WINDOWS = Windows(block_px=16, margin_px=8)


def of_all(windows: Tensor) -> Tensor:
    """A network that looks at everything it is given."""
    return torch.cat([windows, windows - windows.mean((-1, -2), keepdim=True)], 1)


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (40, 33), (5, 64), (1, 1)])
def test_any_size_comes_out_as_it_went_in(size):
    image = torch.randn(2, 3, *size)
    seen = WINDOWS.look(image, of_all)
    assert seen.shape == (2, 6, *size)
    assert torch.equal(seen[:, :3], image)


def test_every_block_is_seen_with_its_margin_and_nothing_else():
    image = torch.randn(1, 1, 64, 64)
    seen = WINDOWS.look(image, of_all)
    expected = image[..., 16:32, 32:48] - image[..., 8:40, 24:56].mean()
    torch.testing.assert_close(seen[:, 1:, 16:32, 32:48], expected)


def test_what_is_beyond_the_frame_is_its_last_pixels():
    image = torch.randn(1, 1, 16, 16)
    around = torch.nn.functional.pad(image, (8, 8, 8, 8), mode="replicate")
    torch.testing.assert_close(WINDOWS.look(image, of_all)[:, 1:], image - around.mean())


def test_a_part_that_begins_at_a_block_is_seen_as_in_the_whole():
    image = torch.randn(1, 1, 96, 96)
    whole, part = WINDOWS.look(image, of_all), WINDOWS.look(image[..., 32:96, 16:80], of_all)
    torch.testing.assert_close(whole[..., 48:80, 32:64], part[..., 16:48, 16:48])


def test_an_image_no_larger_than_a_window_is_seen_as_it_is_where_that_is_wanted():
    image, windows = torch.randn(1, 1, 30, 20), Windows(16, 8, whole=True, multiple_px=8)
    seen = []
    windows.look(image, lambda part: seen.append(tuple(part.shape)) or part)
    windows.look(torch.randn(1, 1, 33, 20), lambda part: seen.append(tuple(part.shape)) or part)
    assert seen == [(1, 1, 32, 24), (6, 1, 32, 32)]


def test_few_windows_are_seen_at_a_time_unless_something_is_learned():
    counts, image = [], torch.randn(1, 1, 16 * 6, 16 * 6)
    with torch.no_grad():
        WINDOWS.look(image, lambda part: counts.append(len(part)) or part)
    assert max(counts) == AT_A_TIME
    assert sum(counts) == 36
    WINDOWS.look(image, lambda part: counts.append(len(part)) or part)
    assert counts[-1] == 36
