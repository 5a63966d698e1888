"""From what the command line asks to an ingest that runs: pipelines, files, stored sources, reporter, signals."""

from __future__ import annotations

from cortex.ingesting.choosing import FILES as FILES
from cortex.ingesting.choosing import choose as choose
from cortex.ingesting.choosing import competing as competing
from cortex.ingesting.executing import execute as execute
from cortex.ingesting.executing import make_reporter as make_reporter
from cortex.ingesting.files import listed as listed
from cortex.ingesting.files import make_files as make_files
from cortex.ingesting.files import roots_of as roots_of
from cortex.ingesting.files import wishes as wishes
from cortex.ingesting.interrupting import Interruption as Interruption
from cortex.ingesting.interrupting import stop_signals as stop_signals
from cortex.ingesting.stored import parts_of as parts_of
from cortex.ingesting.stored import with_options as with_options
