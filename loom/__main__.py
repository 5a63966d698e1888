"""`python -m loom`."""

from loom.cli import main

if __name__ == "__main__":
    main()
