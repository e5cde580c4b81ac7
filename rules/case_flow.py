"""What can happen to a case, as one table: status, action, next status. Who may do it is asked in access."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    NEW = "new"
    ASSIGNED = "assigned"
    CONTACTING = "contacting"
    PLANNED = "planned"
    MONITORING = "monitoring"
    PAUSED = "paused"
    CLOSED = "closed"

    @property
    def open(self) -> bool:
        return self is not Status.CLOSED


class Action(StrEnum):
    ASSIGN = "assign"
    OUTREACH = "outreach"
    CAUSE = "cause"
    REFER = "refer"
    PLAN = "plan"
    MONITOR = "monitor"
    PAUSE = "pause"
    RESUME = "resume"
    CHANGE_TIER = "change_tier"
    ADD_REASON = "add_reason"
    CLOSE = "close"
    REOPEN = "reopen"


PHRASES: dict[Action, str] = {
    Action.ASSIGN: "give it to someone",
    Action.OUTREACH: "write down a contact",
    Action.CAUSE: "note a root cause",
    Action.REFER: "ask another department to help",
    Action.PLAN: "agree a plan",
    Action.MONITOR: "start to follow the plan",
    Action.PAUSE: "pause it",
    Action.RESUME: "take it up again",
    Action.CHANGE_TIER: "change its tier with a written reason",
    Action.ADD_REASON: "add a reason",
    Action.CLOSE: "close it",
    Action.REOPEN: "reopen it",
}

AS_BEFORE = None  # a paused case goes on where it stood

STAY = (Action.ASSIGN, Action.OUTREACH, Action.CAUSE, Action.REFER, Action.CHANGE_TIER, Action.ADD_REASON)
LEAVE = {Action.PAUSE: Status.PAUSED, Action.CLOSE: Status.CLOSED}


def _stays(status: Status) -> dict[Action, Status | None]:
    """What every open case allows: work that leaves the status alone, and the two ways out."""
    return {**dict.fromkeys(STAY, status), **LEAVE}


TABLE: dict[Status, dict[Action, Status | None]] = {
    Status.NEW: {
        **_stays(Status.NEW),
        Action.ASSIGN: Status.ASSIGNED,
        Action.OUTREACH: Status.CONTACTING,
    },
    Status.ASSIGNED: {
        **_stays(Status.ASSIGNED),
        Action.OUTREACH: Status.CONTACTING,
        Action.PLAN: Status.PLANNED,
    },
    Status.CONTACTING: {
        **_stays(Status.CONTACTING),
        Action.PLAN: Status.PLANNED,
    },
    Status.PLANNED: {
        **_stays(Status.PLANNED),
        Action.PLAN: Status.PLANNED,
        Action.MONITOR: Status.MONITORING,
    },
    Status.MONITORING: {
        **_stays(Status.MONITORING),
        Action.PLAN: Status.PLANNED,
        Action.MONITOR: Status.MONITORING,
    },
    Status.PAUSED: {
        Action.ASSIGN: Status.PAUSED,
        Action.OUTREACH: Status.PAUSED,
        Action.ADD_REASON: Status.PAUSED,
        Action.RESUME: AS_BEFORE,
        Action.CLOSE: Status.CLOSED,
    },
    Status.CLOSED: {
        Action.REOPEN: Status.NEW,
    },
}


class IllegalMove(Exception):
    """The case's status does not allow the action; str() says what it allows now."""


def actions(status: Status) -> tuple[Action, ...]:
    """What can be done now, in the order of a case's life."""
    return tuple(action for action in Action if action in TABLE[status])


def can_move(status: Status, action: Action) -> bool:
    """Whether the status allows the action."""
    return action in TABLE[status]


def move(status: Status, action: Action, *, before: Status | None = None) -> Status:
    """The status after the action. `before`: where a paused case stood (not known: assigned)."""
    if action not in TABLE[status]:
        raise IllegalMove(_refusal(status, action))
    after = TABLE[status][action]
    if after is not AS_BEFORE:
        return after
    return before if before not in (None, Status.PAUSED, Status.CLOSED) else Status.ASSIGNED


def _refusal(status: Status, action: Action) -> str:
    first = f"This case is {status}, so you cannot {PHRASES[action]} yet."
    if status is Status.CLOSED:
        first = f"This case is closed, so you cannot {PHRASES[action]} any more."
    *most, last = [PHRASES[possible] for possible in actions(status)]
    return f"{first} Now you can {', '.join(most) + ' or ' if most else ''}{last}."


def diagram() -> str:
    """The moves between statuses as a Mermaid state diagram; work that changes no status is not drawn."""
    lines = ["stateDiagram-v2", f"    [*] --> {Status.NEW}"]
    for status, row in TABLE.items():
        arrows: dict[Status | str, list[Action]] = {}
        for action, after in row.items():
            if after is not status:
                arrows.setdefault(after or "as_before", []).append(action)
        lines += [f"    {status} --> {after}: {', '.join(by)}" for after, by in arrows.items()]
    return "\n".join([*lines, '    state "as before the pause" as as_before', f"    {Status.CLOSED} --> [*]"])


def page() -> str:
    """docs/case-flow.md: `python -m rules.case_flow > docs/case-flow.md` writes it."""
    rows = [
        f"| {status} | {action} | {after or 'as before the pause'} |"
        for status, row in TABLE.items()
        for action, after in sorted(row.items(), key=lambda pair: list(Action).index(pair[0]))
    ]
    meanings = [f"- **{action}**: {phrase}" for action, phrase in PHRASES.items()]
    drawing = ["```mermaid", diagram(), "```", ""]
    return "\n".join([*_INTRODUCTION, *drawing, *_TABLE_HEAD, *rows, "", *meanings, ""])


_INTRODUCTION = (
    "# How a case moves",
    "",
    "Written from the table in `rules/case_flow.py` by `python -m rules.case_flow > docs/case-flow.md`;",
    "a test compares the two.",
    "",
    "A case is *new* until somebody has it, *contacting* from the first contact with the family, *planned*",
    "once a plan is agreed, *monitoring* while the plan is followed. A pause keeps the case where it stood.",
    "A case closed less than 30 days ago is reopened rather than opened twice.",
    "",
)
_TABLE_HEAD = ("| when the case is | and someone does this | it becomes |", "|---|---|---|")


if __name__ == "__main__":
    print(page(), end="")
