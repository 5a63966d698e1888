"""What a file is: digests, and whether it is whole."""
