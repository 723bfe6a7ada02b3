"""What the ledger costs, as ratios to floors measured in the same run: `make bench`."""
