"""What is done to files for people, one recorded action at a time, and how it is undone."""
