"""What people do about a cluster: look into it, write down what they hear, and say in the end what it was."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ew_app.kernel import Actor, Conflict, NotFound, Refused, now, operation, record, today
from ew_app.services.watching.clusters import note
from models.base import db
from models.clusters import Cluster
from models.queries import clusters as rows
from models.queries.clusters import Line
from rules import access
from rules.access import Area, Permission
from rules.words import check_words

LONGEST: Final = 600  # letters of a note
YEAR: Final = timedelta(days=365)
ENDS: Final = {
    "mended": "Found, and mended or ended",
    "false_alarm": "False alarm: nothing was behind it",
    "cannot_tell": "Cannot tell",
}


@dataclass(frozen=True, slots=True)
class View:
    """Whose clusters somebody sees: at which schools, of which departments (None: of all), and their own."""

    area: Area
    departments: Collection[str] | None
    person_id: int | None

    def one(self, cluster_id: int) -> Line:
        """One of them. Raises NotFound."""
        found = rows.one(cluster_id, self.area, self.departments, self.person_id)
        if found is None:
            raise NotFound("There is no such cluster within your reach.")
        return found


def view_of(by: Actor) -> View:
    """What a person sees of clusters: a department contact those of the department, whoever sees counts all there.

    Raises NotAllowed.
    """
    access.check(by.grants, Permission.SEE_DEPARTMENTS)
    area = access.scope_of(by.grants, Permission.SEE_DEPARTMENTS).whole
    return View(area, departments_of(by), by.person_id)


def departments_of(by: Actor) -> Collection[str] | None:
    """The departments for which somebody sees what waits; None for all of them."""
    held = {held.key for grant, held in by.grants if Permission.SEE_DEPARTMENTS in held.permissions}
    if held - {"department_contact"}:
        return None
    theirs = rows.departments_of(by.person_id, today())
    return None if "" in theirs else theirs


@operation
def take(cluster_id: int, *, by: Actor) -> None:
    """Say that one looks into it. Raises NotFound, NotAllowed, Conflict."""
    cluster = _open(cluster_id, by)
    if cluster.taken_at is None:
        cluster.taken_at, cluster.taken_by = now(), by.name
        note(cluster, "taken", "", by=by)
        record("cluster_taken", by=by, subject=f"cluster:{cluster.id}")


@operation
def write(cluster_id: int, words: str, *, by: Actor, once: str | None = None) -> None:
    """Write down what was heard. Raises NotFound, NotAllowed, Conflict, Refused, UnfitWords."""
    cluster = _open(cluster_id, by)
    note(cluster, "note", _fit(words), by=by, once=once)
    if cluster.taken_at is None:
        cluster.taken_at, cluster.taken_by = now(), by.name
    record("cluster_noted", by=by, subject=f"cluster:{cluster.id}")


@operation
def close(cluster_id: int, ended_as: str, words: str, *, by: Actor) -> None:
    """Say what it was. What is called a false alarm counts against its kind. Raises as `write`."""
    cluster = _open(cluster_id, by)
    if ended_as not in ENDS:
        raise Refused("Choose what it was. Nothing was changed.")
    note(cluster, "closed", _fit(words), by=by)
    cluster.state, cluster.ended_as, cluster.ended_on = "closed", ended_as, today()
    record("cluster_closed", by=by, subject=f"cluster:{cluster.id}", ended_as=ended_as)


def useful_share() -> dict[str, tuple[int, int]]:
    """Kind -> (had something behind it, judged by somebody) of the last year; who cannot tell is not counted."""
    found = rows.judged_as(today() - YEAR)
    kinds = {kind for kind, _ in found}
    judged = {
        kind: (found.get((kind, "mended"), 0), found.get((kind, "mended"), 0) + found.get((kind, "false_alarm"), 0))
        for kind in kinds
    }
    return {kind: counts for kind, counts in judged.items() if counts[1]}


def may_answer(line: Line, by: Actor) -> bool:
    """Whether somebody may look into a cluster that they see."""
    return line.cluster.state == "open" and access.can(by.grants, Permission.ANSWER_CLUSTERS)


def _open(cluster_id: int, by: Actor) -> Cluster:
    line = view_of(by).one(cluster_id)
    access.check(by.grants, Permission.ANSWER_CLUSTERS)
    db.session.refresh(line.cluster, with_for_update=True)
    if line.cluster.state != "open":
        raise Conflict("Somebody has ended this one in the meantime. Nothing was changed.")
    return line.cluster


def _fit(words: str) -> str:
    words = words.strip()[:LONGEST]
    check_words(words)
    if len(words) < 3:
        raise Refused("Say in a few words what you found out. Nothing was changed.")
    return words
