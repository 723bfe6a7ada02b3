"""Shapes: the words of the field, the import record, the tables and the analysts' views; no behaviour."""
