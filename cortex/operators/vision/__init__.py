"""What pictures show: faces, people, things and text, by models."""
