"""quotaledger: an append-only ledger of AI chips, decided against the rule in force."""

__version__ = "0.1.0"
