"""The use cases that decide and record: the sequencer owns the ledger's file while it does."""
