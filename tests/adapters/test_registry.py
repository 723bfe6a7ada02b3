"""Every layout is documented, with every reason that it gives."""

import re
from pathlib import Path

from ledger.adapters.registry import ADAPTERS, find_adapter

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/adapters.md").read_text("utf-8")


def test_every_layout_is_on_the_page() -> None:
    """A layout's name, its columns and its seeds stand on the page, and its name in the help of the command."""
    help_text = (ROOT / "ledger/cli/recording.py").read_text("utf-8")
    for adapter in ADAPTERS:
        assert find_adapter(adapter.name) is adapter
        assert adapter.name in help_text
        assert not [name for name in (adapter.name, *adapter.required) if f"`{name}`" not in PAGE]
        assert all(name in PAGE for name in (adapter.chip_names, adapter.owners))


def test_every_reason_is_on_the_page() -> None:
    """A reason that the code can give stands in the table of reasons, and the table has no others."""
    sources = [*(ROOT / "ledger/adapters").glob("*.py"), *(ROOT / "ledger/sequencer").glob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    used = set(re.findall(r'Reason\(\s*"([a-z-]+)"', text))

    assert len(used) > 20
    assert set(re.findall(r"^\| `([a-z-]+)` \| (?:left out|reported) ", PAGE, re.MULTILINE)) == used
