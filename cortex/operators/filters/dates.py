"""A filter by when something was taken."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions
from cortex.operators.references import ValueName, nodes_of, value_of
from loom.model import Branch

if TYPE_CHECKING:
    from cortex.media import Media

_MOST_DAYS = 1_000_000


def _is_moment(text: str) -> str:
    if moment_of(text) is None:
        raise ValueError(f"{text!r} is no date: write 2024-05-17 or 2024-05-17T14:03:21+02:00")
    return text


def _is_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no day: write 2024-05-17") from None
    return text


Moment = Annotated[str, AfterValidator(_is_moment)]


class DateOptions(NodeOptions):
    value: ValueName = Field(
        "metadata.captured_at", description="Which value is looked at: `node.key` of a text in ISO 8601."
    )
    after: Moment | None = Field(None, description="The first day or moment that passes, such as `2024-01-01`.")
    before: Moment | None = Field(None, description="The first day or moment that does not pass any more.")
    min_age_days: int | None = Field(None, ge=0, le=_MOST_DAYS, description="Passes what is at least so old.")
    max_age_days: int | None = Field(None, ge=0, le=_MOST_DAYS, description="Passes what is at most so old.")
    as_of: Annotated[str, AfterValidator(_is_day)] | None = Field(
        None, description="The day that ages are counted back from; by default the one on which the run begins (UTC)."
    )
    missing: Literal["PASS", "FAIL"] = Field("FAIL", description="The verdict where there is no such value.")

    @model_validator(mode="before")
    @classmethod
    def _ages_have_a_day(cls, given: Any) -> Any:
        """The day is part of the options and thus of the signature: a verdict about an age is kept for one day."""
        if not isinstance(given, dict) or given.get("as_of") is not None:
            return given
        has_age = any(given.get(name) is not None for name in ("min_age_days", "max_age_days"))
        return {**given, "as_of": datetime.now(UTC).date().isoformat()} if has_age else given

    @model_validator(mode="after")
    def _something_is_asked(self) -> DateOptions:
        bounds = (self.after, self.before, self.min_age_days, self.max_age_days)
        if all(bound is None for bound in bounds):
            raise ValueError("give after, before, min_age_days or max_age_days")
        after, before = moment_of(self.after), moment_of(self.before)
        if after is not None and before is not None and not _is_before(after, before):
            raise ValueError("before is not later than after: nothing could pass")
        if None not in (self.min_age_days, self.max_age_days) and (self.min_age_days or 0) > (self.max_age_days or 0):
            raise ValueError("min_age_days is larger than max_age_days: nothing could pass")
        return self


class DateFilter(MediaNode[DateOptions]):
    """Passes what was taken in a certain time, or is of a certain age.

    It reads the value of an earlier node, `metadata.captured_at` unless told otherwise. `{after: "2024-01-01", before:
    "2025-01-01"}` is the year 2024. A bound without an offset is compared with the clock on the wall where it was
    taken; one with an offset (`2024-05-17T12:00:00Z`) with the world's clock, a value without offset counting as UTC
    then. Ages are whole days counted back from `as_of`. As long as that is not given, it is the day on which the run
    begins, and the verdicts are decided anew each day.

    Times of files are not looked at: they differ between copies of one content, for all of which a verdict is kept.
    Ports `in` and `out`; gives no outputs; needs a node before it that gives the value. It refuses nothing: what has no
    date, or none that can be read, gets the verdict `missing`.
    """

    operator = "filter.date"
    outputs = HANDS_ON
    reads = ()
    verdicts = True

    def named_nodes(self) -> tuple[str, ...]:
        return nodes_of([self.options.value])

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """PASS, or FAIL with the reason."""
        taken = moment_of(value_of(ctx, self.options.value))
        if taken is None:
            ctx.verdict(Branch(self.options.missing), f"there is no date in {self.options.value}")
        elif (reason := self._against(taken)) is not None:
            ctx.verdict(Branch.FAIL, reason)

    def _against(self, taken: datetime) -> str | None:
        options = self.options
        after, before = moment_of(options.after), moment_of(options.before)
        if after is not None and _is_before(taken, after):
            return f"{taken.isoformat()} is before {options.after}"
        if before is not None and not _is_before(taken, before):
            return f"{taken.isoformat()} is not before {options.before}"
        if options.as_of is None:
            return None
        age = date.fromisoformat(options.as_of) - taken.date()
        if options.min_age_days is not None and age < timedelta(options.min_age_days):
            return f"{age.days} days are fewer than {options.min_age_days}"
        if options.max_age_days is not None and age > timedelta(options.max_age_days):
            return f"{age.days} days are more than {options.max_age_days}"
        return None


def moment_of(text: Any) -> datetime | None:
    """The moment that an ISO 8601 text tells, a day's being its first; None for what tells none."""
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _is_before(one: datetime, bound: datetime) -> bool:
    """Whether `one` is earlier, by the clock that `bound` is of."""
    if bound.tzinfo is None:
        return one.replace(tzinfo=None) < bound
    return (one if one.tzinfo is not None else one.replace(tzinfo=UTC)) < bound
