"""What people read of the ledger: pages and tables made from the views, and from nothing else."""
