"""Wiring: settings, URLs, servers, the task queue. Not one word of the domain."""
