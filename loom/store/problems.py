"""What kept runs from files, folders and sources."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from loom.errors import is_retryable
from loom.problems import MOST_PROBLEMS, Problem, ProblemShape
from loom.shapes import ErrorShape, Page
from loom.store.statements import insert
from loom.store.tables import run_problems
from loom.store.values import b64_unless_shown, clean, cursor_of, cut_page, key_of_cursor, page_size, shown_path


def keep(connection: Connection, number: int, problems: Sequence[Problem]) -> None:
    """Those of a run, in the place of what was kept of it before."""
    connection.execute(delete(run_problems).where(run_problems.c.run == number))
    rows = [
        (number, at, one.path, clean(one.code), clean(one.message)) for at, one in enumerate(problems[:MOST_PROBLEMS])
    ]
    insert(connection, run_problems, rows)


def page(connection: Connection, number: int, limit: int, cursor: str | None) -> Page[ProblemShape]:
    """In the order in which they were told."""
    (after,) = key_of_cursor(cursor, int) or (-1,)
    at = run_problems.c
    statement = select(at.position, at.path, at.code, at.message).where(at.run == number, at.position > after)
    rows = connection.execute(statement.order_by(at.position).limit(page_size(limit) + 1)).all()
    on_page, following = cut_page(rows, limit, lambda row: (row.position,))
    return Page(items=[shape(Problem(path, code, message)) for _, path, code, message in on_page], next=following)


def page_of(kept: Sequence[Problem], limit: int, cursor: str | None) -> Page[ProblemShape]:
    """As `page`, of problems that are not in the database."""
    (after,) = key_of_cursor(cursor, int) or (-1,)
    first = max(after + 1, 0)
    upto = first + page_size(limit)
    return Page(items=[shape(one) for one in kept[first:upto]], next=cursor_of(upto - 1) if upto < len(kept) else None)


def shape(problem: Problem) -> ProblemShape:
    shown = shown_path(problem.path)
    return ProblemShape(
        path=shown or None,
        path_b64=b64_unless_shown(problem.path, shown),
        code=problem.code,
        message=problem.message,
        retryable=is_retryable(problem.code),
    )


def first_error(connection: Connection, number: int) -> ErrorShape | None:
    """Why a run could not be done, as far as its first problem tells."""
    at = run_problems.c
    row = connection.execute(select(at.path, at.code, at.message).where(at.run == number, at.position == 0)).first()
    return None if row is None else error_of(Problem(*row))


def error_of(problem: Problem) -> ErrorShape:
    shown = shown_path(problem.path)
    message = f"{shown}: {problem.message}" if shown else problem.message
    return ErrorShape(code=problem.code, message=message, retryable=is_retryable(problem.code))
