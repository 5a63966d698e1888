"""Files that lie in stores and on other machines."""
