"""What a file says about itself, and what belongs together."""
