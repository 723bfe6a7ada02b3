"""Foreign layouts: one module each that turns the rows of somebody else's file into records. Pure."""
