"""What stands in a case in the words of its readers: events, contacts, causes, notes, status, tier."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask import url_for

from ew_app.kernel import Refused, day_text
from ew_app.web.page import moment
from models.audit import Event
from models.cases import Cause, Note, Outreach, Task
from models.people import Student
from rules import roles
from rules.case_flow import Status
from rules.duty_of_care import duty
from rules.interventions import catalogue
from rules.tiers import Tier
from rules.vocabulary import vocabulary

Entry = dict[str, Any]

STATUS_KINDS = {Status.NEW: "new", Status.PAUSED: "wait", Status.MONITORING: "good", Status.CLOSED: "plain"}
METHOD_ICONS = {
    "call": "call", "robocall": "call", "text": "text", "email": "email", "letter_mail": "letter",
    "letter_home": "letter", "portal": "text", "visit": "visit", "in_person": "person", "virtual": "meeting",
    "conference": "meeting", "partner": "person", "sibling": "person",
}  # fmt: skip

# kind of event -> icon, words; {name} is a value of the event
EVENTS: Mapping[str, tuple[str, str]] = {
    "case_opened": ("plan", "Case opened"),
    "case_reopened": ("plan", "Case taken up again"),
    "case_assigned": ("person", "Given to {to}"),
    "case_taken": ("person", "Taken by {to}"),
    "case_given_back": ("person", "Given back: the giving was taken back"),
    "case_moved": ("person", "Asked of the {role}"),
    "case_planned": ("plan", "Plan agreed"),
    "plan_changed": ("plan", "Plan changed"),
    "plan_reviewed": ("plan", "Looked at the plan: {decision}"),
    "support_offered": ("plan", "Support offered: {support}"),
    "support_changed": ("plan", "Support changed: {support}"),
    "support_given": ("done", "Support given: {support}"),
    "support_not_given": ("plan", "Not given after all: {support}"),
    "support_ended": ("plan", "Support ended: {support}. {result}"),
    "search_begun": ("visit", "Began to look for the student"),
    "search_taken_back": ("visit", "The search was taken back after a correction"),
    "search_step": ("visit", "Looked for the student: {step}"),
    "legal_step_asked": ("plan", "Asked what comes first: {step}"),
    "case_monitored": ("plan", "Following the plan"),
    "case_paused": ("clock", "Paused"),
    "case_resumed": ("plan", "Taken up after the pause"),
    "case_closed": ("done", "Case closed"),
    "case_goes_on": ("person", "The same child under another id: goes on in case {number}"),
    "case_taken_in": ("person", "Case {number} of the same child, under another id, goes on here"),
    "tier_raised": ("tier", "Moved from {before} to {after}"),
    "tier_lowered": ("tier", "Moved from {before} to {after}"),
    "reason_added": ("tier", "Another reason"),
    "reason_withdrawn": ("tier", "A reason was taken back after a correction"),
    "reason_restated": ("tier", "A reason was worded anew after a correction"),
    "reason_outdated": ("tier", "The policy in force now does not give this reason"),
    "reason_reread": ("tier", "A reason was worded anew by the policy in force now"),
    "rested_on_corrected_marks": ("tier", "All marks behind this case were corrected; the student is in {tier} now"),
    "rested_on_former_policy": ("tier", "The policy in force now gives no reason for it; the student is in {tier}"),
    "arrived": ("done", "The student has come to school"),
    "left_unseen": ("done", "Not enrolled here any more, and never seen"),
    "not_arrived_after_all": ("tier", "Not here after all: the marks were corrected"),
    "task_given": ("task", "Given to somebody: {task}"),
    "team_decided": ("meeting", "The team talked about it"),
    "task_done": ("task", "Done: {task}"),
    "task_taken_back": ("task", "Not done after all: {task}"),
    "task_withdrawn": ("task", "No longer needed: {task}"),
    "letter_drafted": ("letter", "Draft of a letter: {letter}"),
    "letter_withdrawn": ("letter", "A draft was taken back after a correction: {letter}"),
    "letter_sent": ("letter", "Letter sent: {letter}"),
    "letter_was_wrong": ("letter", "The marks behind a letter that was sent were corrected: {letter}"),
    "letter_stands_again": ("letter", "A letter that was sent stands after all: {letter}"),
    "letter_told_again": ("letter", "The family was told of the correction: {letter}"),
    "letter_left_as_is": ("letter", "Nothing more to tell the family: {letter}"),
    "visit_planned": ("visit", "Home visit planned"),
    "visit_begun": ("visit", "Two people left for a home visit"),
    "visit_back": ("visit", "Back from the home visit"),
    "visit_late": ("warning", "Not back from the home visit in time: colleagues were told"),
    "visit_called_off": ("visit", "The home visit was called off"),
    "outreach_struck": ("remove", "A contact was struck"),
    "cause_ended": ("note", "No longer in the way: {code}"),
}


def entry_of_event(event: Event) -> Entry | None:
    """An event as a line of the timeline; None for what other lines tell already."""
    if event.kind not in EVENTS:
        return None
    icon, words = EVENTS[event.kind]
    said = {**event.data, **_named(event.data)}
    try:
        kind = words.format(**said)
    except KeyError:
        kind = words.partition("{")[0].strip(" :") or words
    return _entry(icon, kind, (event.actor, event.position), event.at, said.get("sentence") or said.get("why") or "")


def _entry(icon: str, kind: str, who: tuple[str, str], at: datetime, text: str) -> Entry:
    """A line of the timeline: what, who in which position, when."""
    return {
        "icon": icon, "kind": kind, "who": who[0], "position": who[1], "at": at, "when": moment(at),
        "when_iso": at.isoformat(), "text": text,
    }  # fmt: skip


def entry_of_cause(cause: Cause) -> Entry:
    """That somebody said or saw what gets in the way."""
    kind = f"What gets in the way: {lower_first(vocabulary().label('cause', cause.code))}"
    return _entry("note", kind, (cause.author, cause.position), cause.written_at, cause.note)


def _named(data: Mapping[str, Any]) -> dict[str, str]:
    """Keys of the vocabulary among an event's values, as words."""
    named = {name: _in_tier(int(data[name])) for name in ("before", "after", "tier") if isinstance(data.get(name), int)}
    if (role := data.get("role")) in roles.all_roles():
        named["role"] = lower_first(roles.role(role).label)
    for kind, key in (
        ("close_reason", data.get("why")),
        ("pause_reason", data.get("why")),
        ("cause", data.get("code")),
    ):
        if key in vocabulary().labels[kind]:
            named["code" if kind == "cause" else "why"] = vocabulary().label(kind, str(key))
    return named | _of_a_plan(data)


def _of_a_plan(data: Mapping[str, Any]) -> dict[str, str]:
    """Decision, support, result and step of an event; a support for what not all may read is not named."""
    named = {}
    for kind, name in (("plan_decision", "decision"), ("plan_result", "result")):
        if data.get(name) in vocabulary().labels[kind]:
            named[name] = lower_first(vocabulary().label(kind, data[name]))
    if (step := duty().search.get(data.get("step", "")) or duty().steps.get(data.get("step", ""))) is not None:
        named["step"] = lower_first(step.label)
    if (one := catalogue().get(data.get("support", ""))) is not None:
        named["support"] = "as agreed" if one.limited else lower_first(one.label)
    return named


def entry_of_contact(contact: Outreach) -> Entry:
    """One attempt to reach somebody, as a line of the timeline."""
    words = vocabulary()
    kind = f"{words.label('method', contact.method)}: {lower_first(words.label('outcome', contact.outcome))}"
    parts = [
        contact.note,
        f"Agreed: {contact.promise.rstrip('.')}." if contact.promise else "",
        f"Reason told: {lower_first(words.label('absence_reason', contact.told))}." if contact.told else "",
        f"Next on {day_text(contact.next_date)}." if contact.next_date else "",
        f"With: {lower_first(words.label('with_whom', contact.with_whom))}." if contact.with_whom else "",
        "An interpreter helped." if contact.interpreter else "",
    ]
    icon, said = METHOD_ICONS.get(contact.method, "note"), " ".join(part for part in parts if part)
    line = _entry(icon, kind, (contact.author, contact.position), contact.at, said)
    edited = {"edited": "put right since it was first written"} if contact.version > 1 else {}
    return (
        line | edited | {"url": url_for("outreach_entry.show", entry_id=contact.id), "url_words": "Open or put right"}
    )


def entry_of_note(note: Note) -> Entry:
    """A note, marked when it replaced an earlier one."""
    line = _entry("note", "Note", (note.author, note.position), note.written_at, note.text)
    return line | {"edited": "changed since it was first written"} if note.replaces_id else line


def cause_line(cause: Cause) -> dict[str, Any]:
    """A cause with who said it, how sure it is and who wrote it down."""
    words = vocabulary()
    who = words.label("said_by", cause.said_by)
    sure = lower_first(words.label("confidence", cause.confidence))
    return {
        "id": cause.id, "label": words.label("cause", cause.code), "is_primary": cause.is_primary,
        "words": f"{who}, {sure}. {cause.author}, {cause.position}, {moment(cause.written_at)}",
        "note": cause.note, "strengths": cause.strengths,
    }  # fmt: skip


def task_state(task: Task) -> tuple[str, str]:
    """The state of a task that is over, and how it is marked."""
    return ("not needed any more", "plain") if task.status == "withdrawn" else ("done", "good")


def leave_words(until: date | None, deputy: str) -> str:
    """What stands behind the name of somebody on leave: until when, and who goes on meanwhile."""
    ends = f" until {day_text(until)}" if until else ""
    return f", on leave{ends}" + (f"; {deputy} stands in" if deputy else "")


def status_words(status: str) -> tuple[str, str]:
    """A case's status in words, and how it is marked."""
    return vocabulary().label("status", status), STATUS_KINDS.get(Status(status), "plain")


def tier_text(tier: int) -> str:
    """The text key that the tier mark takes."""
    return Tier(tier).text


def tier_range(tier: int, low: int | None, high: int | None, open_days: int) -> dict[str, Any]:
    """What the tier mark takes beside the tier: between which tiers the student can stand while days are open.

    No range for a case that its people keep in a tier in which the student cannot be any more.
    """
    inside = low is not None and high is not None and low <= tier <= high
    shown = (tier_text(low), tier_text(high)) if inside and low is not None and high is not None else (None, None)
    return {"tier_low": shown[0], "tier_high": shown[1], "open_days": open_days}


def _in_tier(tier: int) -> str:
    """A tier that somebody is in; where no day is known, none."""
    return "no tier" if tier == Tier.NONE else tier_words(tier)


def tier_words(tier: int) -> str:
    return vocabulary().label("tier", Tier(tier).text)


def grade_words(grade: str) -> str:
    """Grade 4, Kindergarten, Pre-K; nothing for an unknown one."""
    named = {"PK": "Pre-K", "K": "Kindergarten", "KG": "Kindergarten"}
    return named.get(grade.upper(), f"Grade {grade}") if grade else ""


def language_words(student: Student) -> str:
    """The home language where it is not English, and whether an interpreter is needed."""
    language = student.home_language
    if student.interpreter:
        return f"{language or 'home language not known'}, interpreter needed"
    return f"speaks {language} at home" if language and language.lower() not in ("english", "en") else ""


def lower_first(words: str) -> str:
    """A label inside a sentence: `Left a voicemail` becomes `left a voicemail`; `STLS liaison` stays as it is."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def day_given(text: str | None) -> date | None:
    """A day as a date field sends it; None for an empty field. Raises Refused."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Refused(f"{text!r} is not a date. Write it like 2026-11-20.") from error
