"""The version of the software; every batch remembers the one that recorded it."""

from typing import Final

VERSION: Final = "0.1.0"
