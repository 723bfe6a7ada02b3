"""What an export says of itself, in plain words, to whoever finds it without knowing this software."""

from typing import Final

_HEAD: Final = """\
THE EXPORT OF A QUOTALEDGER

quotaledger records AI chips that are allocated to countries and companies, and decides each record against the rule in
force. All that it records is in a log that only grows. Whenever something is recorded, a checkpoint is signed: how many
leaves the log has, and one hash, the root, that stands for all of them. Nobody can change, add or take away a leaf
without another root, and nobody but the owner of the signing key can sign one.

WHAT IS HERE

manifest.json      what this is, how many leaves and records, the newest root, and the SHA-256 of every file
checkpoints.txt    every signed checkpoint, from the first to the newest
leaves.ndjson      every leaf, one a line, in the order recorded: decisions, rows of registers, rulebooks, signing keys,
                   and what was recorded together (a batch)
verify.py          a program that checks all this, for reading; it needs Python 3.11 or later and cryptography
"""
_TABLES: Final = """\
tables/            the same as tables in Parquet, with what is not in the leaves, such as the files of the rulebooks
"""
_VERIFY: Final = """
HOW TO VERIFY IT

1. Get the verifier key of the ledger (NAME+HASH+BASE64) from somebody you trust, not from here: whoever makes a false
   export would put a false key beside it.
2. Get verify.py from elsewhere, too, from a copy of quotaledger that you trust or from somebody who does. The one here
   is meant for reading: whoever makes a false export would put a false verify.py in it, which says what they like. Run
   your own from another folder than this. -I keeps Python from loading other modules than its own:

       python3 -I /path/of/your/own/verify.py THIS-FOLDER --key KEY

   KEY is the key, or a file with one a line. Exit code 0 is verified, 3 not verified, 2 wrong usage. Tables are only
   compared with manifest.json, which nobody signs; `quotaledger restore` alone compares them with the leaves.
3. If you have kept an older checkpoint, a receipt or an older export: every line of the older checkpoints.txt must be
   in this one, in the same place.
"""
_RESTORE: Final = """
HOW TO REBUILD THE LEDGER

    quotaledger --ledger NEW.duckdb restore THIS-FOLDER

This gives the same ledger, record for record, with the same root, or refuses. It can be read at once. To record in it,
put the private signing key beside it (NEW.duckdb.key): that key is never in an export, so keep it elsewhere.
"""
_REDACTED: Final = """
WHAT IS LEFT OUT

What some providers have filed is here as hashes alone: that a leaf was there, and where, but not what it says. The
hashes are of random bytes, too, so that nobody can find the content by trying. All else is proven as in a full export.
A ledger cannot be rebuilt from this: ask for a full export. What registers say of parties is here in full.
"""


def readme(*, redacting: bool) -> str:
    """Give the text of an export, or of one that leaves some providers' records out."""
    return _HEAD + _VERIFY + _REDACTED if redacting else _HEAD + _TABLES + _VERIFY + _RESTORE
