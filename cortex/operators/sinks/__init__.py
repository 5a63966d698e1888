"""Where assets and what is known of them end up."""
