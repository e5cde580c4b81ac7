"""What a script may ask and what it gets: the query of each address and the columns of its rows, with their meaning.

These classes check every query and are the source of the OpenAPI document, so the two cannot differ; a test holds the
columns against those of the commands.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from rules.tiers import Band, Tier

EARLIEST, LATEST = date(1950, 1, 1), date(2200, 12, 31)
MOST, USUAL = 1000, 200  # rows of a page
LONGEST = 100
TIER_WORDS = [tier.text for tier in Tier]
DAY_STATUSES = ["submitted", "partial", "not_submitted", "closed"]
CASE_STATUSES = ["new", "assigned", "contacting", "planned", "monitoring", "paused", "closed"]


def _day(words: str, *, called: str | None = None) -> fields.Date:
    limits = validate.Range(EARLIEST, LATEST, error=f"A day between {EARLIEST} and {LATEST}, such as 2026-10-09.")
    return fields.Date(
        format="iso",
        validate=limits,
        error_messages={"invalid": "Write the day as 2026-10-09."},
        data_key=called,
        metadata={"description": words},
    )


def _text(words: str, *, most: int = LONGEST) -> fields.String:
    fits = validate.Length(1, most, error=f"Between 1 and {most} characters.")
    return fields.String(validate=fits, metadata={"description": words})


def _choice(words: str, choices: list[str], usual: str) -> fields.String:
    fits = validate.OneOf(choices, error=f"One of {', '.join(choices)}.")
    return fields.String(load_default=usual, validate=fits, metadata={"description": words})


class _WholeNumber(fields.Integer):
    """Digits only: no sign, space or underscore that Python would read."""

    def _validated(self, value: Any) -> int:
        if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9):
            raise ValidationError(f"A whole number from 1 to {MOST}.")
        return super()._validated(value)


class PageQuery(Schema):
    """What every list takes."""

    class Meta:
        unknown = RAISE

    limit = _WholeNumber(
        load_default=USUAL,
        validate=validate.Range(1, MOST, error=f"A whole number from 1 to {MOST}."),
        metadata={"description": "How many rows at most. A page can hold fewer although more follow."},
    )
    cursor = _text("`next` of the page before, to go on after it. The other parameters stay the same.", most=2000)


class _Looking(PageQuery):
    as_of = _day("As it stood at the end of this day, with every correction since. Default: as far as data came in.")
    known_at = _text(
        "From what was known at this moment: a day (its end) or a time such as 2026-10-09T16:30. It reads the whole"
        " record as it was, so ask for large pages.",
        most=40,
    )


class MeasuresQuery(_Looking):
    scope = _choice("A row a student, or a student and school.", ["student", "school"], "student")
    student = _text("One student only, by the district's id.")


class TiersQuery(_Looking):
    by = _choice(
        "Of which places the counts are. Counts by grade are on the page of each school, where small ones are kept"
        " back.",
        ["district", "network", "school"],
        "district",
    )


class CasesQuery(PageQuery):
    which = _choice("Open cases, or closed ones too.", ["open", "all"], "open")


class LedgerQuery(PageQuery):
    start = _day("First day.", called="from")
    until = _day("Last day. Default: the last day that any school submitted.", called="to")
    school = _text("One school only, by the district's id.")


# -- rows ------------------------------------------------------------------------------------------------------------


def _is(kind: type[fields.Field[Any]], words: str, **more: Any) -> Any:
    return kind(required=True, metadata={"description": words}, **more)


def _one_of(choices: list[str], words: str) -> Any:
    return _is(fields.String, words, validate=validate.OneOf(choices))


def _through(words: str) -> Any:
    return _is(fields.Date, words, allow_none=True)


def _number(words: str) -> Any:
    return _is(fields.Float, words, allow_none=True)


class MeasureRow(Schema):
    """One student, or one student at one school."""

    student_id = _is(fields.String, "The district's id; text, leading zeros kept.")
    school_id = fields.String(metadata={"description": "Only with scope=school."})
    as_of = _is(fields.Date, "The day that the row tells of.")
    data_through = _through("The last day of attendance in it.")
    policy_version = _is(fields.String, "The version of the rules that it was judged by.")
    enrolled_days = _number("Days of membership that count.")
    absent_days = _number("Days absent, excused or not; parts of days add up.")
    excused_days = _number("Days absent with a code that says excused.")
    unexcused_days = _number("Days absent with a code that says unexcused.")
    tardies = _number("How often late.")
    absence_rate = _number("Percent of days absent, floored at one decimal; null without an enrolled day.")
    band = _one_of([band.value for band in Band], "Under 5, 10, 20 percent, from 20 on; none without an enrolled day.")
    tier = _one_of(TIER_WORDS, "How much support the rules ask for.")
    too_early = _is(fields.Boolean, "Below the least number of enrolled days, when rules of rates do not speak yet.")
    missing_days = _number("School days that nobody submitted: on neither side of the rate.")
    unknown_days = _number("Days whose code nobody knows or whose row did not come: on neither side of the rate.")
    federal_absent_days = _number("Days missed by at least half.")
    streak_now = _number("Full days absent in a row up to now.")
    rate_tier = _one_of(TIER_WORDS, "The tier by the bands of the rate alone.")
    tier_min = _one_of(TIER_WORDS, "The least the tier can be once missing days come in.")
    tier_max = _one_of(TIER_WORDS, "The most it can be.")


class TierRow(Schema):
    """The counts of one place. tier_1 + watch + tier_2 + tier_3 + none = students; too_early stands beside."""

    network_id = fields.String(metadata={"description": "Only by network and by school."})
    school_id = fields.String(metadata={"description": "Only by school."})
    students = _is(
        fields.Integer, "Students at their primary school, each school as of its last counted day up to the one asked."
    )
    tier_1 = _is(fields.Integer, "In Tier 1.")
    watch = _is(fields.Integer, "On watch.")
    tier_2 = _is(fields.Integer, "In Tier 2.")
    tier_3 = _is(fields.Integer, "In Tier 3.")
    none = _is(fields.Integer, "Without an enrolled day yet.")
    too_early = _is(fields.Integer, "Of them, with too few enrolled days for rules of rates.")
    data_through = _through("The earliest last day among the schools counted; null where one has sent nothing.")


class CaseRow(Schema):
    """One case. Reasons that are kept apart are never among its rules."""

    case_number = _is(fields.Integer, "The number on the case.")
    student_id = _is(fields.String, "The district's id of the student.")
    school_id = _is(fields.String, "The district's id of the school that leads the case.")
    tier = _one_of(TIER_WORDS, "The student's tier.")
    owner_role = _is(fields.String, "The role that answers for it.")
    owner = _is(fields.String, "Who owns it; empty for nobody.")
    department = _is(fields.String, "The department it was sent to; empty for none.")
    status = _one_of(CASE_STATUSES, "How far it is.")
    opened = _is(fields.Date, "When it opened.", allow_none=True)
    due = _is(fields.Date, "When the next step is due.", allow_none=True)
    rules = _is(fields.String, "The rules it stands on, separated by semicolons.")


class LedgerRow(Schema):
    """One school on one date."""

    school_id = _is(fields.String, "The district's id of the school.")
    date = _is(fields.Date, "The date.")
    status = _one_of(DAY_STATUSES, "Whether attendance came in: partial for a full feed with rows for too few.")
    rows = _is(fields.Integer, "How many rows came.")
    expected = _is(fields.Integer, "How many students were enrolled that day.")


class Problem(Schema):
    """An error, as RFC 9457 lays one out."""

    type = _is(fields.String, "Always about:blank: `status` says the kind.")
    title = _is(fields.String, "The kind in words.")
    status = _is(fields.Integer, "The HTTP status.")
    detail = _is(fields.String, "What happened and how to mend it.")
    request_id = _is(fields.String, "What the people who run the system look for in their log.")
