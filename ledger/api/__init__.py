"""The import API: HTTP in, the sequencer's answers out. `app.py` puts it together, a module of routes a subject."""
