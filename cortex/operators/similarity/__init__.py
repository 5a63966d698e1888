"""By what content is known again, and duplicates."""
