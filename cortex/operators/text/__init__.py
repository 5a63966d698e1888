"""Texts: taken out of documents, and what language models make of them."""
