import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_the_settings_says_what_is_declared():
    spec = importlib.util.spec_from_file_location("settings_page", DOCS / "settings_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert written == module.page(), "docs/settings.md is out of date: run python docs/settings_page.py"
