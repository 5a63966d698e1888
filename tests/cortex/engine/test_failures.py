import errno

import pytest

from cortex.engine.failures import MAX_MESSAGE, as_failure
from loom.errors import LoomError


class Speechless(Exception):
    def __str__(self) -> str:
        raise SystemExit(1)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LoomError("FILE_DAMAGED", "cut off"), "FILE_DAMAGED"),
        (MemoryError(), "MEMORY_EXCEEDED"),
        (ModuleNotFoundError("no module x"), "REQUIREMENT_MISSING"),
        (OSError(errno.EIO, "input/output error"), "READ_FAILED"),
        (OSError(errno.ENOSPC, "no space"), "DISK_FULL"),
        (OSError(errno.EINVAL, "invalid"), "OPERATOR_FAILED"),
        (ValueError(), "OPERATOR_FAILED"),
        (SystemExit(3), "OPERATOR_FAILED"),
        (Speechless(), "OPERATOR_FAILED"),
    ],
)
def test_what_an_exception_means(error: BaseException, code: str) -> None:
    assert as_failure(error)[0] == code
    assert as_failure(error)[1]


def test_a_message_is_one_line_of_bounded_length() -> None:
    message = as_failure(ValueError("a\nb\t" + "c" * 1000))[1]
    assert message.startswith("ValueError: a b c")
    assert len(message) == MAX_MESSAGE
