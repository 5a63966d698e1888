"""A user's own programs."""
