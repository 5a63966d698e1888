"""Which way an asset goes."""
