"""The scheduler: when which report is due, who makes it, and to whom it and the alerts go."""
