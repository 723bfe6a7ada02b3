"""`python -m ledger`: the command without its script, for tests and for places where nothing is installed."""

from ledger.cli import main

main()
