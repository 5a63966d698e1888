"""The watch: folders that keep themselves ingested."""
