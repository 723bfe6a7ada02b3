"""The log's leaves: the bytes of what is recorded, and their hashes. Pure."""
