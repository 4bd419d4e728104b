"""Every file that README and the pages of the documentation point to is there, and every picture is used."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if "_build" not in page.parts]
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")


def _targets(page):
    return [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_all_that_a_page_points_to_is_there(page):
    assert [target for target in _targets(page) if not (page.parent / target).exists()] == []


def test_every_picture_is_shown_somewhere():
    shown = {(page.parent / target).resolve() for page in PAGES for target in _targets(page)}
    pictures = {path.resolve() for path in (ROOT / "docs" / "images").rglob("*") if path.is_file()}
    assert pictures - shown == set()


def test_every_name_of_the_package_is_on_the_page_of_names():
    import napari_tap_events

    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    named = set(re.findall(r"auto\w+:: (\w+)", page))
    assert set(napari_tap_events.__all__) - {"__version__"} == named
