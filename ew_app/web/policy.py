"""S18: What rules run, and what would a change do? The policy in plain words, its versions, and how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for

from ew_app.kernel import NotFound, day_text, today
from ew_app.services.casework import usefulness
from ew_app.services.measuring import policies, policy_inputs, policy_story, policy_texts
from ew_app.services.measuring.policy_story import Chapter, Holds
from ew_app.web.guard import actor, requires
from models.queries import policies as rows
from models.queries.imports import names_of
from rules import access
from rules.access import Permission
from rules.counting import many
from rules.policy import Policy
from rules.policy_difference import coming, difference
from rules.policy_words import by_role, decides, groups, ways_down

screen = Blueprint("policy", __name__, url_prefix="/policy")

SHORT = 8  # letters of a version that a page shows
LATEST = 40  # versions that were only kept, to choose from
CHIPS = {
    Holds.PLANNED: ("planned", "new"),
    Holds.NOW: ("in force", "good"),
    Holds.PAST: ("held before", "plain"),
    Holds.OVERLAID: ("held, then replaced", "plain"),
    Holds.REPLACED: ("replaced before its day", "plain"),
    Holds.WITHDRAWN: ("taken back", "wait"),
}
BY_COMMAND = {"operator": "the command line", "worker": "the system"}
reads = requires(Permission.SEE_POLICY)


@dataclass(frozen=True, slots=True)
class May:
    """What this person may do with the policy."""

    change: bool
    approve: bool
    see_changes: bool
    tries: bool  # and the page that tries a version out is there


def may() -> May:
    """What whoever asks may do."""
    grants, P = actor().grants, Permission
    change, approve = access.can(grants, P.CHANGE_POLICY), access.can(grants, P.APPROVE_POLICY)
    tries = access.can(grants, P.TRY_POLICY)
    return May(change, approve, change or approve or tries, tries and "simulate.start" in current_app.view_functions)


@screen.get("")
@reads
def show() -> str:
    """The policy in force, by where its rules lead."""
    story = policy_story.story()
    now = policy_story.now_held(story)
    return render_template(
        "policy.html",
        answer=_answer(now),
        told=in_words(now.policy, today()),
        coming=coming(now.policy, today()) if now.until is None else (),
        useful=usefulness.of_rules([rule.key for rule in now.policy.on(today()).rules]) if may().tries else {},
        wanted=usefulness.wanted(),
        **_frame(story, "rules"),
    )


@screen.get("/people")
@reads
def people() -> str:
    """The policy in force, by who has to act."""
    story = policy_story.story()
    now = policy_story.now_held(story)
    found = by_role(now.policy.on(today()))
    return render_template(
        "policy_people.html",
        answer=f"{many(len(found), 'role')} {'is' if len(found) == 1 else 'are'} asked to act by a rule",
        found=found,
        **_frame(story, "people"),
    )


@screen.get("/versions")
@reads
def versions() -> str:
    """What holds, what is planned, what held before, and what is being worked on."""
    told = policy_story.story()
    changes = rows.open_changes() if may().see_changes else ()
    logins = {login for one in told for login in (one.row.activated_by, one.row.approved_by or "")}
    planned = sum(one.holds is Holds.PLANNED for one in told)
    return render_template(
        "policy_versions.html",
        answer=f"{many(planned, 'version')} planned" if planned else "Nothing is planned: today's policy goes on",
        told=told,
        changes=[(one, policies.stored(one.version)) for one in changes],
        names=names(logins | {one.saved_by for one in changes} | {one.row.withdrawn_by or "" for one in told}),
        chips=CHIPS,
        today=today(),
        undo=_undo(told),
        **_frame(told, "versions"),
    )


@screen.get("/versions/<version>")
@reads
def version(version: str) -> str:
    """One version in plain words, and what it says otherwise than today's."""
    text = policy_texts.text_row(version)
    policy, story = policy_texts.thawed(text.content), policy_story.story()
    now = policy_story.now_held(story)
    held = [one for one in story if one.row.version == text.version]
    day = max(today(), *(one.row.starts for one in held)) if held else max(today(), policy.starts[-1])
    return render_template(
        "policy_version.html",
        policy=policy,
        text=text,
        held=held,
        day=day,
        told=in_words(policy, day),
        lines=difference(now.policy, policy, day) if policy.version != now.row.version else (),
        is_now=policy.version == now.row.version,
        names=names({text.kept_by}),
        chips=CHIPS,
        may=may(),
        short=SHORT,
    )


@screen.get("/versions/<version>/file")
@reads
def download(version: str) -> Response:
    """The file of a version as somebody wrote it."""
    text = policy_texts.text_row(version)
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in text.name)[:40] or "policy"
    return Response(
        policy_texts.main_text(text.content),
        mimetype="application/yaml",
        headers={"Content-Disposition": f'attachment; filename="{name}-{text.version[:SHORT]}.yaml"'},
    )


@screen.get("/compare")
@reads
def compare() -> str:
    """What sets two versions apart."""
    choices = _choices()
    known = [key for key, _ in choices]
    one = request.args.get("one", "") or known[-1]
    other = request.args.get("other", "") or known[0]
    both = [_known(one), _known(other)]
    return render_template(
        "policy_compare.html",
        choices=choices,
        one=both[0].version if both[0] else "",
        other=both[1].version if both[1] else "",
        lines=difference(both[0], both[1]) if both[0] and both[1] else None,
        labels=[policy.label if policy else "" for policy in both],
    )


def names(logins: set[str]) -> dict[str, str]:
    """Login -> whoever it is, as a sentence names them."""
    return names_of(logins) | BY_COMMAND


def in_words(policy: Policy, day: date) -> dict[str, Any]:
    """A policy as it holds on a day, for the page of plain words."""
    held = policy.on(day)
    return {
        "groups": groups(held),
        "down": ways_down(held),
        "lacking": policy_inputs.not_fed(held),
        "statutes": held.statutes,
    }


def _frame(told: Sequence[Chapter], place: str) -> dict[str, Any]:
    """What stands above every part: today's policy, what is planned, what waits."""
    waits = [one for one in rows.open_changes() if one.state == "sent"] if may().approve else []
    return {
        "now": policy_story.now_held(told),
        "planned": [one for one in reversed(told) if one.holds is Holds.PLANNED],
        "waits": waits,
        "part": place,
        "may": may(),
        "short": SHORT,
    }


def _answer(now: Chapter) -> str:
    rules = sum(decides(rule) for rule in now.policy.on(today()).acting)
    since = "" if now.first else f" since {day_text(now.row.starts)}"
    return f"{many(rules, 'rule')} {'decides' if rules == 1 else 'decide'} who is offered support{since}"


def _choices() -> list[tuple[str, str]]:
    """Versions to choose from: what is planned and what held, then what was only kept; each once."""
    found: dict[str, str] = {}
    for one in policy_story.story():
        when = "from the beginning" if one.first else f"from {one.row.starts.day} {one.row.starts:%b %Y}"
        found.setdefault(one.row.version, f"{one.policy.label} ({CHIPS[one.holds][0]}, {when})")
    for text in rows.texts()[:LATEST] if may().see_changes else ():
        label = policy_texts.thawed(text.content).label
        found.setdefault(text.version, f"{label} (not in force, {text.version[:SHORT]})")
    return list(found.items())


def _known(version: str) -> Policy | None:
    try:
        return policies.stored(version)
    except NotFound:
        return None


def _undo(told: tuple[Chapter, ...]) -> dict[str, Any] | None:
    """A plan that was made a moment ago, or nothing."""
    number = request.args.get("planned", type=int)
    made = next((one for one in told if one.row.id == number and one.holds is Holds.PLANNED), None)
    if made is None or not may().change:
        return None
    text = f"It is planned from {made.row.starts.day} {made.row.starts:%b %Y} on."
    return {"text": text, "action": url_for("policy_plan.withdraw", activation=made.row.id)}
