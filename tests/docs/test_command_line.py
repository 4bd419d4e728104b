import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_the_command_line_says_what_the_program_says():
    spec = importlib.util.spec_from_file_location("command_line", DOCS / "command_line.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (DOCS / "command-line.md").read_text(encoding="utf-8")
    assert written == module.page(), "docs/command-line.md is out of date: run python docs/command_line.py"
