"""Policy as data, and the one fold that applies it. Pure: no input, no output, no clock."""
