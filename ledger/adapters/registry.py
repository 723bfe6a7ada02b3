"""The foreign layouts that `import --from` knows. A new one is one more module and one more line here."""

from typing import Final

from ledger.adapters.adapter import Adapter
from ledger.adapters.epoch import EPOCH
from ledger.adapters.inventory import INVENTORY
from ledger.core.errors import WrongUsage
from ledger.core.text import did_you_mean, nearest, shown

ADAPTERS: Final[tuple[Adapter, ...]] = (EPOCH, INVENTORY)


def find_adapter(name: str) -> Adapter:
    """Give the adapter of a layout. Raises WrongUsage if there is none of that name."""
    found = {adapter.name: adapter for adapter in ADAPTERS}
    if name not in found:
        known = ", ".join(f"{adapter.name} ({adapter.title})" for adapter in ADAPTERS)
        raise WrongUsage(
            f"there is no layout {shown(name)}{did_you_mean(nearest(name, found)) or ';'} known are {known}"
        )
    return found[name]
