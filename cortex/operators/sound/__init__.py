"""Recordings: how loud, of which shape, and what is said."""
