"""What is copied into exports and runs without the ledger; nothing here imports anything of it."""
