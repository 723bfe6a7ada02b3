"""The only place that knows DuckDB and Arrow: the ledger's file, and the files that go in and out."""
