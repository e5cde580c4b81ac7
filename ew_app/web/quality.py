"""What the night found in the records: what is new, what lasts, what was mended, and how each is put right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, day_text, now, today
from ew_app.services.system import quality
from ew_app.services.system.quality_checks import BY_KEY, CHECKS, Check, Weight
from ew_app.web import guard, limits, spreadsheets
from ew_app.web.guard import actor, requires, scope
from ew_app.web.lists import Filters
from models.queries import quality_report as rows
from models.queries.quality_report import Row
from rules import access
from rules.access import Area, Permission, Place
from rules.counting import many

screen = Blueprint("quality", __name__)

SCHOOLS = 25  # of one check on the page; the file has all
HEADER = ("check", "title", "school_id", "school", "rows", "since", "state", "reason", "examples")
WEIGHTS = {
    Weight.STOPS: ("Keeps students out of the count", "Begin here."),
    Weight.SKEWS: ("Makes numbers wrong", ""),
    Weight.TIDY: ("Worth knowing", "Nothing is wrong because of these yet."),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A check with what it found: schools in all, rows in all, and the first schools."""

    check: Check
    number: int
    total: int
    rows: Sequence[Row]

    @property
    def words(self) -> str:
        return many(self.total, *self.check.unit)


@screen.get("/quality")
@requires(Permission.SEE_QUALITY)
def show() -> str:
    return _page()


def _page(error: str = "") -> str:
    area, school = _area(), _chosen()
    last, going = rows.newest(), rows.under_way(now() - quality.UNDER_WAY)
    lasting = rows.findings(area, school, SCHOOLS)
    found = _found(lasting, rows.totals(area, school))
    since = rows.before(last.local_date) if last else None
    return render_template(
        "quality.html",
        answer=_answer(found, last),
        last=last,
        going=_progress(going),
        since=since,
        fresh=[row for row in lasting if since and last and row.first_seen == last.local_date and not row.known],
        groups=[(*WEIGHTS[weight], [one for one in found if one.check.weight is weight]) for weight in Weight],
        known=[row for row in lasting if row.known],
        mended=rows.mended(area, last.local_date, school, SCHOOLS) if last else [],
        well=[check for check in CHECKS if check.key not in {one.check.key for one in found}],
        checks=BY_KEY,
        schools=rows.schools(area),
        filters=_filters(area),
        may_mend=access.can(actor().grants, Permission.FIX_DATA),
        named=_names_may_be_shown,
        leads_to=_leads_to,
        example=example_words,
        error=error,
    )


@screen.post("/quality")
@requires(Permission.FIX_DATA)
def check_now() -> ResponseReturnValue:
    """Ask for a look through everything; one that is under way is not asked for twice."""
    guard.once()
    quality.ask(by=actor())
    return redirect(url_for("quality.show"))


@screen.post("/quality/<int:finding_id>/known")
@requires(Permission.FIX_DATA)
def known(finding_id: int) -> ResponseReturnValue:
    """Somebody says that a finding is right as it is."""
    mine = _mine(finding_id)
    guard.once()
    try:
        quality.know(finding_id, request.form.get("reason", ""), by=actor(), area=mine)
    except SENTENCES as refusal:
        return _page(str(refusal)), 422
    flash("It is kept as known and right, and comes back when it grows.", "good")
    return redirect(url_for("quality.show"))


@screen.post("/quality/<int:finding_id>/ask-again")
@requires(Permission.FIX_DATA)
def ask_again(finding_id: int) -> ResponseReturnValue:
    mine = _mine(finding_id)
    guard.once()
    quality.ask_again(finding_id, by=actor(), area=mine)
    return redirect(url_for("quality.show"))


def _mine(finding_id: int) -> Area:
    """The places this person mends, if the finding is there. Raises NotFound."""
    mine = scope(Permission.FIX_DATA).whole
    guard.found(rows.finding(finding_id, mine))
    return mine


@screen.get("/quality.csv")
@requires(Permission.SEE_QUALITY)
@limits.export
def download() -> ResponseReturnValue:
    """Everything that lasts, as a table; ids only for whoever may open the students."""
    found = rows.findings(_area(), _chosen(), most=100_000)
    return spreadsheets.download(f"quality-{today():%Y-%m-%d}", HEADER, map(_cells, found))


def _cells(row: Row) -> tuple[object, ...]:
    shown = "; ".join(map(example_words, row.examples)) if _names_may_be_shown(row) else ""
    state = "known and right" if row.known else "to be mended"
    title, reason = BY_KEY[row.check].title, row.known_reason
    return row.check, title, row.school_key, row.school, row.count, row.first_seen, state, reason, shown


# -- within whose reach --------------------------------------------------------------------------------------------


def _area() -> Area:
    return scope(Permission.SEE_QUALITY).whole


def _names_may_be_shown(row: Row) -> bool:
    """Whether this person may open the students behind a finding; others see counts alone."""
    reached = scope(Permission.SEE_STUDENT).whole
    if not row.school_key:
        return reached.district
    return reached.covers(Place.of_school(row.school_key)) or row.school_key in _schools_in(reached)


def _schools_in(area: Area) -> frozenset[str]:
    """Keys of the schools within an area of networks, which a key alone does not tell."""
    return frozenset(key for key, _ in rows.schools(area)) if area.networks else frozenset()


def _filters(area: Area) -> Filters:
    return Filters({"school": dict(rows.schools(area))})


def _chosen() -> str:
    """The school that was asked for; one out of reach finds nothing."""
    return request.args.get("school", "").strip()[:100]


# -- words ---------------------------------------------------------------------------------------------------------


def _found(lasting: Sequence[Row], totals: Mapping[str, tuple[int, int]]) -> list[Found]:
    """Every check that found anything which is not said to be right, in the order of CHECKS."""
    by_check: dict[str, list[Row]] = {}
    for row in lasting:
        if not row.known:
            by_check.setdefault(row.check, []).append(row)
    return [Found(check, *totals[check.key], by_check.get(check.key, [])) for check in CHECKS if check.key in totals]


def _answer(found: Sequence[Found], last: Any) -> str:
    if last is None:
        return "Nothing has been looked through yet"
    if not found:
        return "Nothing to mend"
    worst = sum(one.check.weight is Weight.STOPS for one in found)
    kinds = many(len(found), "kind of mistake", "kinds of mistakes")
    keep = "keeps" if worst == 1 else "keep"
    return f"{kinds} to mend, {worst} of them {keep} students out of the count" if worst else f"{kinds} to mend"


def _progress(going: int | None) -> tuple[int, str] | None:
    """(percent, words) of a look that is under way."""
    run = rows.run(going) if going else None
    if run is None:
        return None
    done = len(run.counts)
    return done * 100 // len(CHECKS), f"Looking through the records: {done} of {len(CHECKS)} checks are through."


def _leads_to(check: Check) -> str:
    """The page on which it is mended, for those who may open it."""
    if check.where.startswith("/fix") and not access.can(actor().grants, Permission.FIX_DATA):
        return ""
    if check.where == "/imports" and not access.can(actor().grants, Permission.IMPORT_ATTENDANCE):
        return ""
    return check.where


def example_words(example: Mapping[str, Any]) -> str:
    """`S-4711, Fri 13 Nov: AQ7 (delivery 12, line 40)`, as far as it is known."""
    day = day_text(date.fromisoformat(example["day"])) if example.get("day") else ""
    where = ", ".join(part for part in (example.get("student", ""), day) if part)
    told = ": ".join(part for part in (where, example.get("words", "")) if part)
    line = f", line {example['line']}" if example.get("line") else ""
    return f"{told} (delivery {example['batch']}{line})" if example.get("batch") else told
