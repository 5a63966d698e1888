"""Writers of media files as cameras, phones and recorders make them, for the sample media, tests and benchmarks.

What a writer is given decides every byte it writes, on the same versions of Pillow and PyAV.
"""
