"""What each page of counts tells, as tables for a file: never more than the page, from the very same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from ew_app.services.watching.departments import Page
from ew_app.services.watching.following_through import FollowThrough, Line, RoleLine
from ew_app.services.watching.groups import Groups
from ew_app.services.watching.movement import Movement
from ew_app.services.watching.over_year import OverYear
from ew_app.services.watching.parts import Told as Part
from ew_app.services.watching.taking_along import Cell, Table, Told
from ew_app.services.watching.transfers import TwoTruths
from ew_app.services.watching.what_works import WhatWorks
from models.queries.boards import Counts
from rules.follow_through import LABELS, Better, State, Step
from rules.movement import Cell as Moved
from rules.suppression import HIDDEN, LEAST, tens

KEPT_BACK = (HIDDEN, f"Fewer than {LEAST}, or a number that would let such a small one be worked out.")
IN_TENS = ("Counts", "In tens, for whoever may not open the students.")
TENS = ("students", "In tens, told once a month, so that no two tables tell about one student.")
TIERS = ("tier_1", "watch", "tier_2", "tier_3", "none")
FLOWS = ("before", "from_other_tiers", "moved_in", "new", "to_other_tiers", "moved_out", "left", "now")
STATES = {State.ON_TIME: "on_time", State.LATE: "overdue", State.PAUSED: "paused", State.CLOSED: "closed"}
PLACES = ("cases", "first_contacts_due", "reached_in_time", "days_half", "days_four_of_five", "plan_or_further",
          "overdue", "without_owner", "beyond_hours")  # fmt: skip
ROLES = ("role", *(name for name in PLACES if name != "first_contacts_due"))


def movement(told: Movement, noun: str, tiers: str, both: TwoTruths | None) -> Told:
    """Tier by tier, then line by line for some tiers, each with its sum."""
    by_tier = [[tier.text, *_moved(cell)] for tier, cell in told.by_tier] + [["all", *_moved(told.everyone)]]
    lines = [[one.key, one.name, *_moved(one.cell)] for one in told.lines] + [["", "All together", *_moved(told.total)]]
    key = noun.lower()
    tables = [Table("tiers", "By tier", ("tier", *FLOWS), by_tier)]
    if len(told.lines) > 1:
        tables.append(Table(f"{key}s", f"By {key}", (f"{key}_id", key, *FLOWS), lines))
    if both is not None and both.students:
        tables.append(_both(both))
    exceptions = [
        *((name, f"first counted on {day}") for name, day in told.exceptions.later),
        *((name, f"counted up to {day} only") for name, day in told.exceptions.behind),
        *((name, "not counted yet") for name in told.exceptions.uncounted),
    ]
    return Told(
        told.now,
        tables,
        [
            ("Compared with", str(told.before)),
            (f"By {key}", f"{tiers}. {told.between} changed from one {key} to another and stand on two lines."),
            ("Each line", "before + from_other_tiers + moved_in + new - to_other_tiers - moved_out - left = now"),
            ("moved", "From or to another school of the district; new and left: from or to outside it."),
            *exceptions,
            *([KEPT_BACK] if both is not None else []),
        ],
    )


def _moved(cell: Moved) -> list[Cell]:
    flows = (cell.then, cell.came, cell.moved_in, cell.new, cell.went, cell.moved_out, cell.left, cell.now)
    return list(flows)


def _both(both: TwoTruths) -> Table:
    rows: list[list[Cell]] = [
        ["all days of the year", *_cells(both.all_days.rows[0])],
        ["days at this school", *_cells(both.own_days.rows[0])],
    ]
    return Table("transfers", "Came from elsewhere", ("counted_by", "tier_2_or_3_rate", "lower"), rows)


def year(told: OverYear, noun: str) -> Told:
    """The whole week by week with the year before, and each line week by week. Exact: whole schools."""
    weeks = [
        [str(one.monday), *_counts(one.counts), one.fresh, one.schools]
        + ([one.then.number, *_counts(one.then.counts), one.then.schools] if one.then else [""] * (len(TIERS) + 3))
        for one in told.weeks
    ]
    key = noun.lower()
    lines = [
        [str(week.monday), line.key, line.name, *(_counts(counts) if counts else [""] * (len(TIERS) + 1))]
        for line in told.lines
        for week, counts in zip(told.weeks, line.weeks, strict=True)
    ]
    then = ("school_day", *(f"last_year_{name}" for name in (*TIERS, "students", "schools")))
    names = ("week_of", *TIERS, "students", "schools_in_week", "schools_counted", *then)
    return Told(
        told.last,
        [
            Table("weeks", "By week", names, weeks),
            Table(f"{key}s", f"By {key} and week", ("week_of", f"{key}_id", key, *TIERS, "students"), lines),
        ],
        [
            ("week_of", "Its Monday; counts are of the end of the week."),
            ("school_day", "The number of the school day; last_year_ columns are of the same one a year before."),
            ("schools_in_week", "Schools counted in that very week; the others stand as last counted."),
        ],
    )


def _counts(counts: Counts) -> list[Cell]:
    return [*(int(getattr(counts, name)) for name in TIERS), counts.students]


def groups(told: Groups) -> Told:
    """A row for each group and column of the page, and the causes."""
    parts: list[list[Cell]] = [row for table in told.tables for row in _part(table)]
    causes: list[list[Cell]] = [[one.label, one.students] for one in told.causes]
    return Told(
        told.asked,
        [
            Table("groups", "Groups", ("by", "group", "tier", "students"), parts),
            Table("causes", "Causes", ("cause", "students"), causes),
        ],
        [
            TENS,
            KEPT_BACK,
            ("Causes", f"Of open cases; one student may have several. Of fewer than {LEAST} students: not listed."),
            ("Behind", ", ".join(told.behind) or "none"),
        ],
    )


def _part(table: Part) -> list[list[Cell]]:
    return [
        [table.by, name, column, table.cell(count)]
        for name, row, total in zip(table.names, table.rows, table.totals, strict=True)
        for column, count in zip((*table.columns, "All"), (*row, total), strict=True)
    ]


def follow_through(told: FollowThrough, by_role: Sequence[RoleLine], noun: str, on: date) -> Told:
    """Where each case stands, and how far help has come by place and by role."""
    total = told.total.funnel
    steps: list[list[Cell]] = [
        [
            *(LABELS[step], total.reached(step), total.standing(step)),
            *(total.standing(step, state) for state in STATES),
            total.not_on_record[step],
        ]
        for step in Step
    ]
    key = noun.lower()
    places: list[list[Cell]] = [[one.key, one.name, *_line(one)] for one in told.places]
    better = {Better.YES: "better", Better.NO: "not better", Better.CANNOT_TELL: "cannot be told yet"}
    return Told(
        on,
        [
            Table("steps", "Steps", ("step", "reached", "furthest", *STATES.values(), "further_without_it"), steps),
            Table(f"{key}s", f"By {key}", (f"{key}_id", key, *PLACES), places),
            Table("roles", "By role", ROLES, [_role(one) for one in by_role]),
            Table("better", "Attendance", ("since_the_plan", "cases"), [[better[k], total.better[k]] for k in better]),
        ],
        [
            ("Cases", f"Opened or taken up again since {told.since}, as they stood at the moment above."),
            ("furthest", "Every case once, at the furthest step on record."),
            ("days_half, days_four_of_five", "School days until so many families were reached; empty: not yet."),
            ("By role", "In tens for whoever may not open the cases, because a role stands close to a reason."),
            (HIDDEN, "The speed of fewer than three people; few cases, and what would let so few be worked out."),
        ],
    )  # fmt: skip


def _role(line: RoleLine) -> list[Cell]:
    cases, planned, late, unowned = _cells((line.cases, line.planned, line.late, line.unowned))
    times: list[Cell] = [HIDDEN] * 2 if line.waited is None else [line.waited.median or "", line.waited.most or ""]
    return [line.name, cases, line.in_time, *times, planned, late, unowned, _cell(line.over)]


def _line(line: Line) -> list[Cell]:
    funnel, waited = line.funnel, line.waited
    if waited is None and funnel.asked:
        times: list[Cell] = [HIDDEN] * 4
    else:
        times = [
            funnel.asked,
            funnel.in_time,
            *(("", "") if waited is None or not waited.cases else (waited.median, waited.most)),
        ]
    return [funnel.cases, *times, funnel.reached(Step.PLANNED), line.late, funnel.unowned, line.over]


def what_works(told: WhatWorks, on: date) -> Told:
    """Each support that began for enough students, with what followed."""
    rows: list[list[Cell]] = []
    for one in told.shown:
        found = one.difference
        compared = found.days is not None
        sides: list[Cell] = [tens(found.served), tens(found.others)] if compared else [HIDDEN, HIDDEN]
        rows.append(
            [
                *(one.support.key, one.support.label, one.support.tier.text, tens(one.students)),
                *("" if one.given is None else one.given, *_spread(one.before), *_spread(one.since)),
                *(found.verdict.value, *map(_day, (found.days, found.low, found.high)), *sides),
            ]
        )
    few = [[one.support.key, one.support.label] for one in told.lines if not one.shown]
    spread = ("middle", "low", "high")
    names = ("support", "label", "tier", "students", "given_percent", *(f"before_{n}" for n in spread),
             *(f"since_{n}" for n in spread), "verdict", "days_a_month", "range_low", "range_high", "compared",
             "not_yet_served")  # fmt: skip
    return Told(
        on,
        [
            Table("supports", "Supports", names, rows),
            Table("kept_back", "Kept back", ("support", "label"), few),
        ],
        [
            ("Supports", f"Begun since {told.since}. Students in tens."),
            ("before, since", "Days away in a month: the middle student, and between low and high the middle half."),
            ("days_a_month", "Beside students like them who had none yet; below zero: fewer days away."),
            ("range", "The difference lies within it in 99 of 100 such comparisons; one that holds 0 cannot tell."),
            ("Kept back", f"Begun for fewer than {LEAST} students."),
            ("Caution", "Nobody drew lots for who got a support: those who got it may differ in ways no file shows."),
        ],
    )


def _spread(found: Any) -> list[Cell]:
    if found is None:
        return [HIDDEN] * 3
    return [_day(value) for value in (found.middle, found.low, found.high)]


def _day(value: float | None) -> Cell:
    return "" if value is None else round(float(value), 1) + 0.0


def departments(rows: Sequence[Any], on: date) -> Told:
    """Every department: what is open, late and asked, as far as it is told."""
    names = (
        "department",
        "label",
        "clusters",
        "open_tasks",
        "past_their_day",
        "questions",
        "waits_since",
        "days_waited",
    )
    found: list[list[Cell]] = [
        [one.department.key, one.department.label, one.clusters]
        + [_cell(count) for count in (one.open, one.late, one.questions)]
        + [str(one.since or ""), _cell(one.days)]
        for one in rows
    ]  # fmt: skip
    return Told(on, [Table("departments", "Departments", names, found)], [*_tens(rows), _WAITED])


def _tens(rows: Sequence[Any]) -> list[tuple[str, str]]:
    return [] if all(one.exact for one in rows) else [IN_TENS, KEPT_BACK]


_WAITED = ("days_waited", "School days from asked to done or issued, added up over everything asked this year.")


def department(page: Page, on: date) -> Told:
    """One department: what waits by kind, its causes, the days that the district cost, shut parts."""
    row = page.row
    waits = ("open", "past_their_day", "since", "days_waited")
    kinds: list[list[Cell]] = [
        [one.label, _cell(one.open), _cell(one.late)]
        + [str(one.since) if one.since and one.open is not None else "", _cell(one.days)]
        for one in page.kinds
    ]
    kinds.append(["All", _cell(row.open), _cell(row.late), str(row.since or ""), _cell(row.days)])
    tables = [
        Table("tasks", "What waits", ("asked", *waits), kinds),
        Table("causes", "Causes", ("cause", "open_cases"), [[label, _cell(n)] for label, n in page.causes]),
        Table("district_days", "Days the district cost", ("why", "days"), [[why, _cell(n)] for why, n in page.caused]),
    ]
    if page.shut:
        shut = [[label, _cell(open_), _cell(days)] for label, open_, days in page.shut]
        tables.append(Table("shut_parts", "Shut parts", ("what", "open", "days_waited"), shut))
    words = [("Since", str(page.year)), _WAITED] + ([] if page.exact else [IN_TENS, KEPT_BACK])
    return Told(on, tables, words)


def _cells(counts: Sequence[int | None]) -> list[Cell]:
    return [_cell(count) for count in counts]


def _cell(count: int | None) -> Cell:
    return HIDDEN if count is None else count
