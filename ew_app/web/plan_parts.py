"""S10 on the case: the plan that holds, its supports with what came before and since, the looks at it, its versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for

from ew_app.kernel import day_text, local, today
from ew_app.services.casework.plan_effect import Days
from ew_app.web import case_moves, case_page, strips
from ew_app.web.case_page import Page
from ew_app.web.case_words import lower_first
from ew_app.web.guard import actor
from ew_app.web.page import days, moment
from models.plans import Plan, PlanReview, PlanSupport, SupportGiven
from models.queries import case_page as people
from models.queries import plans as rows
from rules.access import FieldClass, Permission, Right
from rules.before_after import LEAST_KNOWN, Compared, Window
from rules.case_flow import Action, Status, can_move
from rules.interventions import catalogue
from rules.vocabulary import vocabulary

HONEST = "It shows what came before and since, not why."


def plan(page: Page) -> dict[str, Any]:
    """The plan as it holds, how far its goal in numbers is, and what this reader can do with it."""
    held = rows.newest(page.at_hand.case)
    return {
        "plan": _plan_line(held) if held else None,
        "toward": toward(page, held) if held else "",
        "moves": _moves(page, held),
    }


def _plan_line(plan: Plan) -> dict[str, Any]:
    names = people.names([plan.champion_id], today()) if plan.champion_id else {}
    asked = vocabulary().label("family_agreed", plan.family_agreed)
    facts = [
        ("Goal in days", goal_in_days(plan)),
        ("Champion", names.get(plan.champion_id or 0, "")),
        ("What helps them come", plan.helps),
        ("Does the family agree?", asked),
        ("Next look", day_text(plan.review_on)),
    ]
    who = f"{plan.author}, {plan.position}, {moment(plan.written_at)}"
    return {"goal": plan.goal, "facts": [fact for fact in facts if fact[1]], "who": who, "version": plan.version}


def goal_in_days(plan: Plan) -> str:
    """At most 2 days away in 20 school days; nothing for a goal without numbers."""
    if plan.most_absent is None:
        return ""
    away = "1 day" if plan.most_absent == 1 else f"{plan.most_absent or 'no'} days"
    return f"{'at most ' if plan.most_absent else ''}{away} away in {plan.of_days} school days"


def toward(page: Page, plan: Plan) -> str:
    """How far the goal in numbers is: days away so far, of the days it speaks of."""
    window = Days(page.told.days).toward(plan, local(plan.written_at).date())
    if plan.most_absent is None or window is None:
        return ""
    unknown = window.days - window.known
    so_far = f"Away {days(window.absent)} of the {window.days} school days since"
    return f"{so_far}{f', {unknown} of them not known' if unknown else ''}. The goal is {goal_in_days(plan)}."


def _moves(page: Page, plan: Plan | None) -> list[dict[str, Any]]:
    case = page.at_hand.case
    number, status = case.number, Status(case.status)
    made = []
    if case_page.may(page.at_hand, Permission.WORK_CASE):
        if can_move(status, Action.PLAN):
            words = "Change the plan" if plan else "Write the plan"
            made.append({"words": words, "url": url_for("plans.write", number=number)})
        if plan and can_move(status, Action.MONITOR):
            made.append({"words": "Look at how it goes", "url": url_for("plans.look", number=number)})
        made += [one for one in case_moves.moves(page.at_hand) if one.get("action") == Action.MONITOR]
    if plan:
        made.append({"words": "Print for the family", "url": url_for("plans.family", number=number)})
    return made


# -- supports --------------------------------------------------------------------------------------------------


def supports(page: Page) -> dict[str, Any]:
    """The supports outside compartments, each with dose, answer, result and what came before and since."""
    case, found = page.at_hand.case, visible(page)
    given, told = rows.given(found), Days(page.told.days if found else ())  # a year is judged only for an effect
    names = people.names({one.owner_id for one in found if one.owner_id}, today())
    may = case.closed_on is None and case_page.writes_case(page.at_hand)
    lines = [
        support_line(one, given.get(one.id, []), names) | {"effect": effect(told, one), "may": may and not one.result}
        for one in found
    ]
    apart = may or (case.closed_on is None and bool(writable(page)))
    return {
        "running": [line for line in lines if not line["result"]],
        "ended": [line for line in lines if line["result"]],
        "may_offer": apart and case.status != Status.PAUSED,
    }


def inside(found: Sequence[PlanSupport], *, may: bool) -> list[dict[str, Any]]:
    """The supports of a compartment that this reader has opened."""
    given, names = rows.given(found), people.names({one.owner_id for one in found if one.owner_id}, today())
    return [support_line(one, given.get(one.id, []), names) | {"may": may and not one.result} for one in found]


def visible(page: Page) -> list[PlanSupport]:
    """Those of the case that this reader may see: one that is for limited causes only where notes are read."""
    supports = rows.supports(page.at_hand.case)
    if FieldClass.NOTES in page.at_hand.readable:
        return supports
    plain = {code for code, cause in vocabulary().causes.items() if not cause.limited} | {None}
    return [one for one in supports if one.cause in plain and not catalogue()[one.intervention].limited]


def writable(page: Page) -> frozenset[FieldClass]:
    """The restricted classes in which this reader may write on the case."""
    restricted = (one for one in FieldClass if one.restricted)
    return frozenset(one for one in restricted if case_page.right(page.at_hand, one) is Right.WRITE)


def support_line(support: PlanSupport, given: Sequence[SupportGiven], names: dict[int, str]) -> dict[str, Any]:
    """A support in words: what, for what, how often of how often planned, by whom, until when, what came of it."""
    one, words = catalogue()[support.intervention], vocabulary()
    who = names.get(support.owner_id or 0, "")
    last = f", last on {day_text(given[0].on_day)}" if given else ""
    facts = [
        f"Given {len(given)} of {support.dose_planned} times{last}",
        f"{day_text(support.starts)} to {day_text(support.ended_on or support.planned_end)}",
        f"by {who}" if who else "nobody gives it yet",
        f"family: {lower_first(words.label('family_agreed', support.family_agreed))}",
    ]
    cause = f"for: {lower_first(words.label('cause', support.cause))}" if support.cause else ""
    mine = next((row for row in given if row.author_id == actor().person_id), None)
    return {
        "id": support.id, "label": one.label, "what": one.what, "cause": cause, "facts": " · ".join(facts),
        "result": words.label("plan_result", support.result) if support.result else "", "why": support.why_ended,
        "result_kind": "good" if support.result == "met" else "plain", "version": support.version,
        "undo": {"id": mine.id, "day": day_text(mine.on_day)} if mine and not support.result else None,
        "who": f"Offered by {support.author}, {support.position}, {moment(support.written_at)}",
    }  # fmt: skip


def effect(told: Days, support: PlanSupport) -> dict[str, Any]:
    """Days away before and since, as a sentence and two strips; or that it cannot be told yet, and why."""
    found = told.around(support.starts)
    if found.before is None or found.since is None:
        return {"sentence": f"Whether it helps cannot be told yet. {found.why_not}", "strips": []}
    strips_of = [
        {"label": words, "weeks": strips.weeks(told.shown(window)), "summary": f"{words}: {away(window)}."}
        for words, window in (("Before", found.before), ("Since", found.since))
    ]
    return {"sentence": f"{_both(found)} {HONEST}", "strips": strips_of, "better": found.better}


def _both(found: Compared) -> str:
    before, since = found.before, found.since
    assert before is not None and since is not None
    return f"Before: {away(before)}. Since: {away(since)}."


def away(window: Window) -> str:
    """`away 6 of 20 school days`, with those that are not known."""
    unknown = window.days - window.known
    return f"away {days(window.absent)} of {window.days} school days{f' ({unknown} not known)' if unknown else ''}"


# -- looks and versions ----------------------------------------------------------------------------------------


def looks(page: Page) -> dict[str, Any] | None:
    """Every look at the plan with its decision and its next day; None before the first."""
    found = [_look(one) for one in rows.reviews(page.at_hand.case)]
    return {"looks": found} if found else None


def _look(one: PlanReview) -> dict[str, Any]:
    beside = " With the family." if one.with_family else ""
    return {
        "icon": "plan", "kind": vocabulary().label("plan_decision", one.decision), "who": one.author,
        "position": one.position, "when": moment(one.written_at), "when_iso": one.written_at.isoformat(),
        "text": f"{one.words}{beside} Next look on {day_text(one.next_on)}.".strip(),
    }  # fmt: skip


def history(page: Page) -> dict[str, Any] | None:
    """Earlier versions of the plan, and plans of earlier episodes; None where there are none."""
    case = page.at_hand.case
    found = [*rows.versions(case)[1:], *rows.earlier_plans(case)]
    return {"versions": [_version(one) for one in found], "least": LEAST_KNOWN} if found else None


def _version(one: Plan) -> dict[str, Any]:
    told = (goal_in_days(one), one.helps and f"Helps them come: {one.helps}")
    return {
        "icon": "plan", "kind": f"Version {one.version}", "who": one.author, "position": one.position,
        "when": moment(one.written_at), "when_iso": one.written_at.isoformat(),
        "text": ". ".join([one.goal.rstrip("."), *(text for text in told if text)]),
    }  # fmt: skip
