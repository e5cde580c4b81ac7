"""Ana twice over: the district as everybody knows it, and the same with something kept in compartments.

Whatever can lie in a compartment is written here, class by class, for a student with a case (Ana) and one without
(Ben). A page that changes by it, for somebody without the right, has given a secret away.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from ew_app.kernel import now, today, transaction
from models.attendance import Batch, BatchFile, Mark, SchoolDay
from models.audit import AuditRow, Event
from models.base import db
from models.cases import Case, Cause, Note, Outreach, Task
from models.duty import DistrictDay
from models.org import AbsenceCode, CalendarDay, School, Source
from models.people import Student, SupportFlag
from models.promises import Promise, PromiseStep
from models.staff import Person
from models.tiers import Finding, StudentStatus, TierChange
from rules.promises import promises
from rules.roles import FieldClass, assignable_roles
from rules.vocabulary import vocabulary
from tests.web.world import START

FRIDAY = date(2026, 10, 9)
DAYS = [day for n in range(54) if (day := START + timedelta(days=n)).weekday() < 5]  # 40 of them
ABSENT = (*DAYS[5:35:5], DAYS[37])
# class -> cause, rule of a finding, roster flag, whose work it is
KEPT: dict[FieldClass, tuple[str, str, str, str]] = {
    FieldClass.IEP_504: ("A-DISABILITY", "R99", "iep", "case_manager"),
    FieldClass.HEALTH: ("B-HLTH-CHRON", "R13", "care_plan", "nurse"),
    FieldClass.STLS: ("B-HOUSING", "R22", "stls", "stls_liaison"),
    FieldClass.COUNSELING: ("A-ANX", "R14", "talks", "psychologist"),
    FieldClass.PROTECTED: ("B-PROTECTED", "R98", "26a", "protected_reasons_person"),
}


def one_of_each_kind() -> list[str]:
    """Roles of which no two have the same rights to the same people; the others are looked at by the deep tests."""
    kinds: dict[str, str] = {}
    for role in assignable_roles():
        kinds.setdefault(f"{sorted(role.rights.items())} {role.reach}", role.key)
    return list(kinds.values())


def a_few_kinds() -> list[str]:
    """Every third of these, for the run of every day."""
    return one_of_each_kind()[::3]


def word(kept: FieldClass) -> str:
    """What stands in everything that is written into a compartment, and nowhere else."""
    return f"Lantern{kept.replace('_', '').title()}"


def attend() -> None:
    """Forty days at every school. Ana and Ben missed seven of them, and stand in Tier 2 since the last."""
    with transaction():
        source = Source(name="SIS")
        db.session.add_all([source, AbsenceCode(code="A", title="Absent", kind="absence", absent_fraction=1000,
                                                excused="unexcused")])  # fmt: skip
        db.session.flush()
        batch = Batch(kind="attendance", source=source, status="applied", name="october.csv", sha256="x",
                      received_at=now(), received_by="clerk")  # fmt: skip
        batch.files = [BatchFile(name="october.csv", table_name="attendance", size=1, sha256="x", content=b"")]
        db.session.add(batch)
        db.session.flush()
        for school in db.session.scalars(select(School)):
            for day in DAYS:
                said = {"school_id": school.id, "day": day}
                db.session.add(SchoolDay(**said, status="submitted", feed="exception", rows=0, expected=0))
                if day != START:
                    db.session.add(CalendarDay(**said, calendar_key="", day_type="instructional", weight=1000))
        for name in ("Ana", "Ben"):
            _miss(_student(name), batch)


def _miss(student: Student, batch: Batch) -> None:
    school = student.stints[0].school_id
    for line, day in enumerate(ABSENT, 2):
        db.session.add(Mark(school_id=school, student_id=student.id, day=day, period="", code="A", file=0, line=line,
                            source_id=batch.source_id, batch_id=batch.id))  # fmt: skip
    db.session.merge(
        StudentStatus(
            student_id=student.id, school_id=school, grade="4", enrolled_now=True, tier=2, too_early=False,
            tier_since=ABSENT[-1], rules=["R07"], data_through=DAYS[-1], enrolled=40_000, absent=7_000, excused=0,
            unexcused=7_000, federal_absent=7_000, tardies=0, missing_days=0, unknown_days=0, streak_now=0,
            absent_last_20=4_000, enrolled_last_20=20_000, rate_tier=2, tier_min=2, tier_max=2, policy_version="x",
        )
    )  # fmt: skip
    db.session.add(
        TierChange(student_id=student.id, day=ABSENT[-1], before=0, after=2, rules=["R07"], policy_version="x",
                   sentence="Absent 7 of 38 days.", recorded_at=now())
    )  # fmt: skip
    db.session.add(
        Outreach(
            student_id=student.id, on_day=ABSENT[0], at=now() - timedelta(days=30), method="call",
            outcome="left_voicemail", is_contact=False, author="Person counselor", position="School counselor",
            written_at=now(),
        )
    )  # fmt: skip


def keep(kept: FieldClass) -> None:
    """Write all that this compartment can hold, of Ana and of Ben."""
    with transaction():
        case = db.session.scalars(select(Case).where(Case.student_id == _student("Ana").id)).one()
        _keep(kept, case.student_id, case.school_id, case)
        ben = _student("Ben")
        _keep(kept, ben.id, ben.stints[0].school_id, None)


def _keep(kept: FieldClass, student_id: int, school_id: int, case: Case | None) -> None:
    code, rule, flag, login = KEPT[kept]
    owner = db.session.scalars(select(Person).where(Person.login == login)).one()
    db.session.add(SupportFlag(student_id=student_id, key=flag, compartment=kept))
    db.session.add(
        Finding(student_id=student_id, rule=rule, since=DAYS[20], compartment=kept, numbers={}, sentence=word(kept),
                policy_version="x", recorded_at=now())
    )  # fmt: skip
    db.session.add(
        Task(case_id=case.id if case else None, student_id=student_id, school_id=school_id, kind="support",
             period=f"kept/{kept}", title=word(kept), compartment=kept, department="related_services",
             owner_role=login, owner_id=owner.id, due=today() - timedelta(days=3), created_at=now())
    )  # fmt: skip
    _promise(kept, student_id, school_id, owner)
    for why in [key for key, part in vocabulary().district_causes.items() if part == kept]:
        day = {"student_id": student_id, "day": ABSENT[-1], "why": why, "compartment": kept}
        db.session.add(DistrictDay(**day, author=word(kept), position="x", written_at=now()))
    if case is not None:
        _write(kept, case, code, owner)
    told: dict[str, Any] = {"at": now(), "student_id": student_id, "compartment": kept, "subject": word(kept)}
    db.session.add(Event(kind="cause_added", case_id=case.id if case else None, actor=word(kept), position="x", **told))
    db.session.add(AuditRow(actor="nurse", role="School nurse", action="compartment_opened", reason=word(kept), **told))


def _promise(kept: FieldClass, student_id: int, school_id: int, owner: Person) -> None:
    """One that waits, where the compartment keeps any, and until when the district keeps the child out."""
    first, *others = promises().of(kept) or (None,)
    for kind in (first, *(one for one in others if one.district_cause)) if first else ():
        written: dict[str, Any] = {"author_id": owner.id, "author": word(kept), "position": "x", "written_at": now()}
        one = Promise(student_id=student_id, school_id=school_id, compartment=kept, kind=kind.key, what=word(kept),
                      asked_on=DAYS[20], owner_id=owner.id, due=DAYS[22], **written)  # fmt: skip
        db.session.add(one)
        db.session.flush()
        db.session.add(PromiseStep(promise_id=one.id, state="asked", on_day=DAYS[20], note=word(kept), **written))


def _write(kept: FieldClass, case: Case, code: str, owner: Person) -> None:
    written: dict[str, Any] = {
        "case_id": case.id, "student_id": case.student_id, "compartment": kept, "author_id": owner.id,
        "author": word(kept), "position": "Kept", "written_at": now(),
    }  # fmt: skip
    db.session.add(Cause(code=code, said_by="caregiver", confidence="said", note=word(kept), **written))
    db.session.add(Note(text=word(kept), **written))


def _student(name: str) -> Student:
    return db.session.scalars(select(Student).where(Student.first_name == name)).one()
