"""Reports: decide again, measures, tiers, cases, why, ledger. Tables on stdout, sentences on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import click

from ew_app.cli import output, why_page
from ew_app.cli.options import DAY, acting, as_of_option, as_option, day_of, known_at_option, moment_of
from ew_app.cli.output import as_json_flag, format_option
from ew_app.cli.runtime import Runtime, runtime
from ew_app.kernel import Refused
from ew_app.services.casework import viewing
from ew_app.services.deliveries import late_days, waiting
from ew_app.services.deliveries import ledger as day_ledger
from ew_app.services.measuring import measures as numbers
from ew_app.services.measuring import statutory
from ew_app.services.watching.columns import BY, CASES, COUNTS, LEDGER, typed
from rules.counting import are, many
from rules.statutes import states as shipped_states

LATE = {  # column -> what it shows
    "school_id": "school_key",
    "date": "day",
    "school_days_late": "days_late",
    "owner_role": "owner_role",
    "owner": "owner",
    "asked": "asked_at",
    "raised": "raised_at",
    "waiting_file": "waiting_file",
    "waiting_as": "waiting_as",
}


@click.command("evaluate")
@as_of_option
@as_json_flag
@runtime
def evaluate(run: Runtime, as_of: datetime | None, as_json: bool) -> None:
    """Decide for every student again: facts, findings, tiers, cases.

    Without --as-of, each school is decided through its last submitted day, and the result is stored. With --as-of,
    the day is worked out and shown, and nothing is stored: what stands is always decided through the last day.
    """
    day = day_of(as_of)
    if day is None:
        with run.working():
            effect = waiting.evaluate_everybody(output.on_terminal())
            _print_evaluation(None, effect, numbers.tiers()[0:1], as_json)
        return
    with run.app():
        _print_evaluation(day, None, numbers.tiers(day)[0:1], as_json)


@click.command("measures")
@as_of_option
@known_at_option
@click.option("--scope", type=click.Choice(["student", "school"]), default="student", show_default=True)
@click.option("--student", metavar="ID", help="One student only.")
@as_option
@format_option
@runtime
def measures(
    run: Runtime,
    as_of: datetime | None,
    known_at: str | None,
    scope: str,
    student: str | None,
    login: str | None,
    form: str,
) -> None:
    """One row a student, or a student and school: days, rate, band and tier."""
    keys = ("student_id", "school_id") if scope == "school" else ("student_id",)
    with run.app():
        moment = moment_of(known_at)
        rows = _seen_by(login, numbers.measures(day_of(as_of), scope=scope, student=student, known_at=moment))
        output.table(rows, (*keys, *numbers.MEASURES), form)


@click.command("tiers")
@as_of_option
@known_at_option
@click.option("--by", type=click.Choice(list(BY)), default="district", show_default=True)
@as_option
@format_option
@runtime
def tiers(run: Runtime, as_of: datetime | None, known_at: str | None, by: str, login: str | None, form: str) -> None:
    """How many enrolled students stand in each tier, at their primary school.

    With --as-of whoever is enrolled on that day; without, each school as of its last day that came in, as boards do.
    """
    with run.app():
        reached, day = viewing.counted_by(by, by=acting(login)), day_of(as_of)
        counts = numbers.tiers(day, by=by, known_at=moment_of(known_at), on_the_day=day is not None)
        output.table((row for row in counts if reached(row)), (*BY[by], *COUNTS), form)


@click.command("cases")
@click.option("--open/--all", "only_open", default=True, help="Open cases (the default), or closed ones too.")
@as_option
@format_option
@runtime
def cases(run: Runtime, only_open: bool, login: str | None, form: str) -> None:
    """One row a case: student, tier, who owns it, how far it is. Restricted reasons are left out."""
    with run.app():
        output.table(viewing.cases(by=acting(login), only_open=only_open), CASES, form)


@click.command("why")
@click.argument("student_id")
@as_of_option
@known_at_option
@as_option
@as_json_flag
@runtime
def why(
    run: Runtime, student_id: str, as_of: datetime | None, known_at: str | None, login: str | None, as_json: bool
) -> None:
    """Why a student stands where they stand: every finding with its days, arithmetic, file and line."""
    with run.app():
        found = viewing.explain(student_id, day_of(as_of), by=acting(login), known_at=moment_of(known_at))
        if as_json:
            told = found.as_json()
            output.json_object(told | {"measures": typed(told["measures"])})
            return
        for line in why_page.lines(found):
            click.echo(line)


@click.command("ledger")
@click.option("--from", "start", type=DAY, help="First day.")
@click.option("--to", "until", type=DAY, help="Last day (default: the last day that any school submitted).")
@click.option("--school", metavar="ID", help="One school only.")
@as_option
@format_option
@runtime
def ledger(
    run: Runtime, start: datetime | None, until: datetime | None, school: str | None, login: str | None, form: str
) -> None:
    """Which school took attendance on which day: submitted, partial, not_submitted or closed."""
    with run.app():
        found = day_ledger.days(start=day_of(start), until=day_of(until), school=school)
        reached = viewing.counted_by("school", by=acting(login))
        rows = ({name: getattr(row, name) for name in LEDGER} for row in found)
        output.table((row for row in rows if reached(row)), LEDGER, form)


@click.command("late")
@click.option("--school", metavar="ID", help="One school only.")
@as_option
@format_option
@runtime
def late(run: Runtime, school: str | None, login: str | None, form: str) -> None:
    """Which school days are missing past their hour, and who was asked for them: the longest wait first."""
    with run.app():
        found = late_days.asked_for(by=acting(login), school=school or "")
        rows = ({name: getattr(row, column) for name, column in LATE.items()} for row in found)
        output.table(rows, tuple(LATE), form)


@click.command("statutes")
@as_of_option
@known_at_option
@click.option("--student", metavar="ID", help="One student only.")
@click.option("--state", "states", multiple=True, help="A shipped state, also where the policy does not name it.")
@as_option
@format_option
@runtime
def statutes(
    run: Runtime,
    as_of: datetime | None,
    known_at: str | None,
    student: str | None,
    states: tuple[str, ...],
    login: str | None,
    form: str,
) -> None:
    """What the law of the state counts: a row a student and measure, for the states that the policy names.

    It is counted and told, never decided by: no tier moves and no case opens.
    """
    with run.app():
        _check_states(states)
        found = statutory.counts(day_of(as_of), student=student, states=states or None, known_at=moment_of(known_at))
        output.table(_seen_by(login, found), ("student_id", *statutory.COLUMNS), form)


def _check_states(states: tuple[str, ...]) -> None:
    for state in states:
        if state not in shipped_states():
            raise Refused(f"There are no measures of {state}. Shipped: {', '.join(shipped_states())}.")


def _seen_by(login: str | None, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of students whom this person may see."""
    allowed = viewing.students_of(acting(login))
    return rows if allowed is None else (row for row in rows if row["student_id"] in allowed)


def _print_evaluation(
    day: date | None, effect: dict[str, int] | None, counts: list[dict[str, Any]], as_json: bool
) -> None:
    tiers_now = counts[0] if counts else dict.fromkeys(COUNTS, 0) | {"data_through": ""}
    if as_json:
        told = {"as_of": day, "stored": effect is not None, "effect": effect or {}}
        output.json_object(told | {"tiers": typed({name: tiers_now[name] for name in COUNTS})})
        return
    shown = ", ".join(f"{tiers_now[name]:,} {words}" for name, words in _WORDS.items())
    through = f" on {day}" if day else f", data through {tiers_now['data_through'] or 'different days'}"
    click.echo(f"{many(int(tiers_now['students']), 'student')}{through}: {shown}.")
    if effect is None:
        click.echo("Worked out for that day only; nothing was stored.")
    else:
        click.echo(effect_words(effect))


_WORDS = {"tier_1": "in Tier 1", "watch": "on watch", "tier_2": "in Tier 2", "tier_3": "in Tier 3", "none": "without"}


def effect_words(effect: dict[str, int]) -> str:
    """What moved, in a sentence."""
    return (
        f"{effect['enter_watch']:,} entered watch, {effect['enter_2']:,} entered Tier 2, "
        f"{effect['enter_3']:,} entered Tier 3; {effect['leave_2']:,} left Tier 2, {effect['leave_3']:,} left Tier 3; "
        f"{many(effect['cases_opened'], 'case')} {are(effect['cases_opened'], 'was', 'were')} opened."
    )


COMMANDS = [evaluate, measures, tiers, cases, why, ledger, late, statutes]
