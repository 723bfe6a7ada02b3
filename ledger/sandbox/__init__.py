"""SQL of strangers on the published copy: each query in a process that can do nothing else, started ahead.

`pool.py` is the server's side, with a `process.py` each. `worker.py` is the program of the process: it looks at a query
(`judging.py`: may it be asked; `reproducing.py`: is the answer the same tomorrow), runs it (`running.py`) and writes
what comes of it (`writing.py`).
"""
