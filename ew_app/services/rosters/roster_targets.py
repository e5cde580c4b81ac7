"""The tables that a roster fills, and the words in which a file says how it fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ew_app.feeds import OURS
from models.upsert import Target

ROSTER_LOCK: Final = 7304  # advisory lock: one roster file, code change or undo at a time

NETWORK = Target("network", ("id",), ("key",), ("name",))
SCHOOL = Target(
    "school",
    ("id",),
    ("key",),
    ("name", "network_id", "level", "day_minutes", "min_full_minutes", "min_half_minutes"),
)
STUDENT = Target(
    "student",
    ("id",),
    ("key",),
    (
        "first_name",
        "last_name",
        "birth_date",
        "grade",
        "homeroom",
        "bus_route",
        "household_key",
        "home_language",
        "interpreter",
        "race_ethnicity",
        "english_learner",
        "low_income",
        "system_id",
    ),
)
SUPPORT_FLAG = Target("support_flag", ("student_id", "key"), ("student_id", "key"), ("compartment",))
STINT = Target(
    "stint",
    ("id",),
    ("student_id", "school_id", "entry_date", "former_id"),
    ("exit_date", "exit_code", "grade", "calendar_key", "is_primary"),
)
CALENDAR_DAY = Target(
    "calendar_day",
    ("school_id", "calendar_key", "day"),
    ("school_id", "calendar_key", "day"),
    ("day_type", "weight", "day_minutes"),
)
CLASS_PERIOD = Target(
    "class_period",
    ("school_id", "grade", "period", "valid_from"),
    ("school_id", "grade", "period", "valid_from"),
    ("minutes", "counts", "valid_to"),
)
ABSENCE_CODE = Target(
    "absence_code",
    ("id",),
    ("school_id", "code", "valid_from"),
    ("title", "kind", "absent_fraction", "excused", "valid_to"),
    nullable_key=True,
    by_hand=True,
)
# What an export said of a code `t` from one day on; it ends where people or a file of ours say something without a day.
SAID_BY_AN_EXPORT: Final = f"""
    t.valid_from IS NOT NULL AND t.valid_to IS NULL
    AND EXISTS (SELECT FROM batch b WHERE b.id = t.batch_id AND coalesce(b.options ->> 'format', '{OURS}') <> '{OURS}')
"""
CONTACT = Target(
    "contact",
    ("id",),
    ("student_id", "name", "relation"),
    ("phone", "email", "address", "language", "may_receive_mail", "may_pick_up"),
)
PRIOR_YEAR = Target(
    "prior_year",
    ("student_id", "school_year"),
    ("student_id", "school_year"),
    ("enrolled", "absent", "unexcused"),
)

# Children first: the order in which rows can be taken away without leaving others pointing at nothing.
TARGETS = (
    PRIOR_YEAR,
    CONTACT,
    ABSENCE_CODE,
    CLASS_PERIOD,
    CALENDAR_DAY,
    STINT,
    SUPPORT_FLAG,
    STUDENT,
    SCHOOL,
    NETWORK,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows for which `condition` holds. Rejected ones stay out; the others go in with the doubt noted.

    The sentence tells {value}: what `shows` says, else what stands in the column.
    """

    column: str
    condition: str
    sentence: str
    rejected: bool = True
    shows: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """Rows of a file on their way into one table: the target's columns as expressions over `rows`."""

    target: Target
    fields: Mapping[str, str]  # column of the target -> expression
    rows: str = "incoming i"
    reads: Mapping[str, str] | None = None  # column of the target -> column of the file, where they differ

    def source(self) -> str:
        """The SELECT that `models.upsert.upsert` takes."""
        fields = ", ".join(f"{expression} AS {column}" for column, expression in self.fields.items())
        return f"SELECT i.line, i.unread, {fields} FROM {self.rows}"

    def absent(self, present: frozenset[str]) -> frozenset[str]:
        """Columns of the target of which a file with these columns says nothing."""
        names = {column: (self.reads or {}).get(column, column) for column in self.target.columns}
        return frozenset(column for column, name in names.items() if name not in present)


@dataclass(frozen=True, slots=True)
class RosterTable:
    """One file of a roster. The last write carries the counts of the file."""

    name: str
    about: str  # what two rows with one key are both about
    writes: tuple[Write, ...] = ()  # none: the file is only compared with what is stored
    faults: tuple[Fault, ...] = ()
    rank: str = "0"  # among rows with one key the lowest rank counts, then the later line
    names_school: bool = False
    names_student: bool = False
    school_may_be_blank: bool = False
    restricted: bool = False  # has columns that go to compartments

    @property
    def fills(self) -> frozenset[str]:
        """The tables that rows of this file reach."""
        flags = {SUPPORT_FLAG.table} if self.restricted else set()
        return frozenset({write.target.table for write in self.writes} | flags)


A_YEAR_AHEAD: Final = "i.{column} > CAST(:today AS date) + 366"


def text_of(column: str) -> str:
    """A column of the file, an empty text where it says nothing."""
    return f"coalesce(i.{column}, '')"


def texts_of(*columns: str) -> dict[str, str]:
    """Columns of the file that fill those of the same names, as texts."""
    return {column: text_of(column) for column in columns}


def same(*columns: str) -> dict[str, str]:
    """Columns of the file that fill those of the same names as they are."""
    return {column: f"i.{column}" for column in columns}
