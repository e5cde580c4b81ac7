"""S10: Why, and what will we try? A plan written, a look at how it goes, the sheet for the family, the talk before."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import day_text
from ew_app.services.casework import planning
from ew_app.services.casework.near import near
from ew_app.services.casework.planning import Agreed, Look
from ew_app.web import asked, case_page, guard, plan_parts, plan_steps
from ew_app.web.case_page import Page
from ew_app.web.case_words import day_given, lower_first
from ew_app.web.guard import actor, found, requires
from ew_app.web.page import moment
from models.plans import Plan
from models.queries import plans as rows
from rules.access import Permission
from rules.interventions import catalogue
from rules.interviewing import guide
from rules.vocabulary import vocabulary

screen = Blueprint("plans", __name__)

SEE, WORK = Permission.SEE_CASE, Permission.WORK_CASE
FIELDS = {
    "goal": "The goal", "most_absent": "At most so many days away", "of_days": "In so many school days",
    "champion": "Champion", "helps": "What helps them come", "family_agreed": "Does the family agree?",
    "next_step": "The next step", "review_on": "The next look",
}  # fmt: skip


# -- writing it ------------------------------------------------------------------------------------------------


@screen.route("/cases/<int:number>/plan/write", methods=["GET", "POST"])
@requires(WORK)
def write(number: int) -> ResponseReturnValue:
    """Agree a plan or change it; when somebody else was faster, both texts are shown."""
    held = case_page.held(number, WORK)
    before, champions = rows.newest(held.case), near(held.place)
    names = {person: one.words for person, one in champions.items()}

    def act() -> str:
        plan = planning.agree(number, _agreed(), by=actor(), seen=plan_steps.row("seen"), once=guard.once())
        return f"The plan stands. Next: {lower_first(plan.next_step)}, by {day_text(plan.review_on)}."

    return plan_steps.step(
        held, "plan_write.html", act, values=_values(before), stands=lambda theirs: _stands(theirs, names),
        title="Change the plan" if before else "What did you agree on?", button="Save the plan",
        people=list(names.items()), answers=vocabulary().choices("family_agreed"), seen=before.version if before else 0,
        strengths=[one.strengths for one in Page(held).causes if one.strengths and one.ended_at is None],
    )  # fmt: skip


def _agreed() -> Agreed:
    form = request.form
    return Agreed(
        goal=form.get("goal", ""), most_absent=plan_steps.number("most_absent", FIELDS["most_absent"]),
        of_days=plan_steps.number("of_days", FIELDS["of_days"]), champion_id=plan_steps.row("champion"),
        helps=form.get("helps", ""), family_agreed=form.get("family_agreed") or "not_asked",
        next_step=form.get("next_step", ""), review_on=day_given(form.get("review_on")),
    )  # fmt: skip


def _values(plan: Plan | None) -> dict[str, Any]:
    """A version of a plan as the form holds it."""
    if plan is None:
        return {"family_agreed": "not_asked"}
    return {
        "goal": plan.goal, "most_absent": _text(plan.most_absent), "of_days": _text(plan.of_days),
        "champion": _text(plan.champion_id), "helps": plan.helps, "family_agreed": plan.family_agreed,
        "next_step": plan.next_step, "review_on": plan.review_on.isoformat(),
    }  # fmt: skip


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _stands(theirs: Plan, names: dict[int, str]) -> list[tuple[str, str, str]]:
    """What stands now where it is not what the writer has: (what, in what words, the field)."""
    now = _values(theirs)
    said = now | {
        "champion": names.get(theirs.champion_id or 0, "nobody"), "review_on": day_text(theirs.review_on),
        "family_agreed": vocabulary().label("family_agreed", theirs.family_agreed),
    }  # fmt: skip
    return [
        (words, said[name] or "nothing", name)
        for name, words in FIELDS.items()
        if now[name] != request.form.get(name, "").strip()
    ]


# -- looking at it ---------------------------------------------------------------------------------------------


@screen.route("/cases/<int:number>/plan/look", methods=["GET", "POST"])
@requires(WORK)
def look(number: int) -> ResponseReturnValue:
    """Decide how the plan goes on, with what came before and since beside it."""
    held = case_page.held(number, WORK)
    page = Page(held)
    plan = found(rows.newest(held.case))

    def act() -> str:
        form = request.form
        decided = Look(
            decision=form.get("decision", ""), words=form.get("words", ""), with_family="with_family" in form,
            next_on=day_given(form.get("next_on")),
        )  # fmt: skip
        version = form.get("seen", type=asked.number)
        made = planning.review(number, decided, by=actor(), seen=version, once=guard.once())
        return f"{vocabulary().label('plan_decision', made.decision)}. Next look on {day_text(made.next_on)}."

    return plan_steps.step(
        held, "plan_look.html", act, values={}, blame="decision", title="How does the plan go?", button="Save",
        decisions=_decisions(), toward=plan_parts.toward(page, plan), goal=plan.goal, seen=plan.version,
        supports=plan_parts.supports(page)["running"],
    )  # fmt: skip


def _decisions() -> list[tuple[str, str]]:
    """(key, words) with when the next look is unless a day is chosen."""
    return [
        (one.key, f"{one.label} (next look in {one.look_again} school days)") for one in vocabulary().decisions.values()
    ]


# -- on paper --------------------------------------------------------------------------------------------------


@screen.get("/cases/<int:number>/plan/family")
@requires(SEE)
def family(number: int) -> str:
    """The plan as the family takes it home: no tier, nothing that only some may read."""
    page = Page(case_page.held(number, SEE))
    case = page.at_hand.case
    plan = found(rows.newest(case))
    who = case.student.first_name or case.student.name
    running = [one for one in plan_parts.visible(page) if one.result is None and one.family_agreed != "no"]
    here = near(case_page.held(number, SEE).place)  # a family is told of nobody who has left
    champion = here[plan.champion_id].name if plan.champion_id in here else ""
    return render_template(
        "plan_family.html", who=who, school=case.school.name, goal=plan.goal, helps=plan.helps,
        offers=[told for one in running if (told := catalogue()[one.intervention].for_family(who))],
        champion=champion, next_look=day_text(plan.review_on), at=moment(plan.written_at),
        back=url_for("case.plan", number=number), asked=plan.family_agreed != "not_asked",
    )  # fmt: skip


@screen.get("/interview-guide")
@requires(WORK, Permission.LOG_OUTREACH)
def interview() -> str:
    """How to begin the talk, what to ask about, what to leave alone."""
    return render_template("interview_guide.html", guide=guide())
