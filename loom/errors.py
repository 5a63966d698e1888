"""One table of error codes: the sentence, who is at fault, what it means over HTTP and as an exit code.

Codes are names that never change meaning. `retryable` says whether trying again without changing anything may help:
results that fail with a retryable code are not stored, those that fail with a permanent one are.
"""

from __future__ import annotations

from errno import EDQUOT, EFBIG, ENOSPC
from typing import NamedTuple

NO_ROOM = frozenset({ENOSPC, EDQUOT, EFBIG})
"""What the system says when a disk or a quota is full, or a file may not grow further."""


class Code(NamedTuple):
    """One row of the table. `sentence` is what a person is told when nothing more precise is known."""

    sentence: str
    retryable: bool = False
    http: int = 500
    exit: int = 1


CODES: dict[str, Code] = {
    # what a file may be guilty of: stored as FAILED results
    "FILE_EMPTY": Code("The file is empty.", http=422),
    "FILE_DAMAGED": Code("The file is damaged: its content does not follow its format.", http=422),
    "FILE_TRUNCATED": Code("The file ends before its content does.", http=422),
    "FILE_TOO_LARGE": Code("Decoding the file would take more than the limits allow.", http=422),
    "FORMAT_UNSUPPORTED": Code("No decoder for this format is installed.", http=422),
    "FILE_ENCRYPTED": Code("The file is encrypted.", http=422),
    "OUTPUT_INVALID": Code("The node gave an output that cannot be stored.", http=422),
    "OPERATOR_FAILED": Code("The operator raised an error.", http=422),
    "WORKER_CRASHED": Code("The worker process died on this file.", http=422),
    "MEMORY_EXCEEDED": Code("The file needs more memory than a worker may use.", http=422),
    "TIMED_OUT": Code("The node took longer than it may.", http=422),
    # what the surroundings may be guilty of: tried again
    "FILE_VANISHED": Code("The file was gone when it was to be read.", retryable=True, http=410),
    "FILE_UNREADABLE": Code("The file cannot be opened.", retryable=True, http=422),
    "NOT_A_REGULAR_FILE": Code("Not a regular file: pipes, devices and sockets are left alone.", http=422),
    "CHANGED_WHILE_READ": Code("The file was changed while it was being read.", retryable=True, http=409),
    "READ_FAILED": Code("Reading failed: the disk or network reported an error.", retryable=True, http=503),
    "REQUIREMENT_MISSING": Code("Something that the operator needs is not installed.", retryable=True, http=503),
    "EFFECT_FAILED": Code("A side effect could not be carried out.", retryable=True, http=503),
    "TRY_AGAIN": Code("The node asked to be tried again later.", retryable=True, http=503),
    "DISK_FULL": Code("There is no room left on the disk.", retryable=True, http=507),
    # definitions and calls
    "USAGE": Code("The command cannot be understood.", http=400, exit=2),
    "DEFINITION_INVALID": Code("The pipeline definition is invalid.", http=422, exit=2),
    "PIPELINE_DISABLED": Code("The pipeline is disabled.", http=409, exit=2),
    "CONFIG_INVALID": Code("A setting is invalid.", http=400, exit=2),
    "REQUEST_INVALID": Code("The request is not of the form that is expected here.", http=422, exit=2),
    "NOT_FOUND": Code("There is nothing of that name.", http=404),
    "NAME_RESERVED": Code("This name is reserved.", http=422, exit=2),
    "SOURCE_EXISTS": Code("A source has this name or lies there already.", http=409),
    "VERSION_CONFLICT": Code("Someone else changed it in the meantime.", retryable=True, http=412),
    "RUN_ENDED": Code("The run has ended.", http=409),
    "RUN_ABANDONED": Code("Who executed the run is not heard of any more: a new run goes on.", http=409),
    "RUN_LOST": Code("The run was given to another worker.", http=409),
    "CHANGED": Code("The file is no longer the one that is known.", http=409),
    "DECIDED": Code("People have decided on it already.", http=409),
    "BODY_TOO_LARGE": Code("The request is larger than allowed.", http=413),
    "HEADERS_TOO_LARGE": Code("The request has more headers than allowed.", http=431),
    "RANGE_NOT_SATISFIABLE": Code("The file ends before the bytes that are asked for.", http=416),
    "DIGEST_MISMATCH": Code("The bytes do not have the digest under which they were sent.", http=422),
    "UNAUTHORIZED": Code("A valid token is needed.", http=401, exit=5),
    "FORBIDDEN_HOST": Code("This server does not answer to that host name.", http=421),
    "FORBIDDEN_ORIGIN": Code("Requests from that origin are refused.", http=403),
    "TOKEN_IN_QUERY": Code("Tokens are not accepted in addresses; send an Authorization header.", http=400),
    "METHOD_NOT_ALLOWED": Code("This address does not offer that method.", http=405),
    # sources, Loom and its database
    "SOURCE_UNREACHABLE": Code("The source cannot be reached.", retryable=True, http=503, exit=4),
    "LOOM_UNREACHABLE": Code("Loom cannot be reached.", retryable=True, http=503, exit=5),
    "DATABASE_UNREACHABLE": Code("Loom's database cannot be reached.", retryable=True, http=503, exit=5),
    "DATABASE_BUSY": Code("Loom's database is locked by another process.", retryable=True, http=503, exit=5),
    "DATABASE_NEWER": Code("The database was written by a newer version of Loom.", http=500, exit=5),
    "DATABASE_OUTDATED": Code("The database needs `loom migrate`.", http=500, exit=5),
    "DATABASE_DAMAGED": Code("The database is damaged.", http=500, exit=5),
    "BACKUP_UNSUPPORTED": Code("This database is backed up with its own tools.", http=501, exit=2),
    "BACKUP_INVALID": Code("The file is not a complete backup of Loom.", http=422, exit=1),
    "NOT_EMPTY": Code("There is something already, which is not overwritten.", http=409, exit=1),
    "DATA_FOLDER_LOCKED": Code("Another process holds the data folder.", retryable=True, http=503, exit=6),
    "EXTRA_MISSING": Code("An optional part of the product is not installed.", http=500, exit=1),
    "INTERNAL": Code("This is a defect of the product; please report it.", http=500),
}


class LoomError(Exception):
    """An error with a code of the table. `message` replaces the table's sentence; it is one sentence for a person."""

    def __init__(self, code: str, message: str | None = None) -> None:
        self.code = code
        self.message = message or CODES[code].sentence
        super().__init__(self.message)

    @property
    def retryable(self) -> bool:
        return is_retryable(self.code)

    @property
    def http_status(self) -> int:
        return CODES[self.code].http

    @property
    def exit_code(self) -> int:
        return CODES[self.code].exit

    def __reduce__(self) -> tuple[type[LoomError], tuple[str, str]]:
        return type(self), (self.code, self.message)


def is_retryable(code: str) -> bool:
    """Whether a failure with this code may be tried again as it is; unknown codes (a newer worker's) may not."""
    row = CODES.get(code)
    return row is not None and row.retryable
