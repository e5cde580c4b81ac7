"""Every page a role can open, wide and on a phone: axe finds nothing, and nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from ew_app.factory import create_app
from ew_app.kernel import OPERATOR, now, today, transaction
from ew_app.services.casework import crisis, promises
from ew_app.services.casework.promises import Wanted as Asked
from ew_app.services.deciding import simulating
from ew_app.services.deliveries import late_days
from ew_app.services.measuring import policies, policy_changes
from ew_app.services.measuring.policy_writing import Wanted as Numbers
from ew_app.services.meetings import holding
from ew_app.services.people import accounts, credentials, signing_in
from ew_app.services.sources import keeping
from ew_app.services.sources.keeping import Wanted
from ew_app.services.watching import goals, reviewing
from models.attendance import Batch
from models.base import db
from models.cases import Case, Outreach, Task
from models.clusters import Cluster, ClusterDay
from models.goals import Goal, StrategyLook
from models.integrity import IntegrityQuestion
from models.org import Network, School
from models.people import Stint, Student
from models.plans import PlanSupport, SupportGiven
from models.reviews import Nudge
from models.staff import Grant, Person
from models.visits import Visit
from rules.places import Place
from tests.browser.conftest import Open
from tests.browser.system import System
from tests.browser.window import assert_fine, contrast_troubles
from tests.services import risk_report

# login ("": nobody): the addresses that this person opens. {name} is a number or key of the demo: see `numbers`.
SCREENS: Mapping[str, tuple[str, ...]] = {
    "": ("/sign-in", "/set-password/{link}"),
    "social_worker": (
        *("/news", "/news/choices", "/news/calendar", "/visits", "/cases/{case}/visit", "/visits/{visit}"),
        *("/visits/{visit}/sheet", "/visits/{visit}/card"),
        *(
            "/today",
            "/caseload",
            "/caseload?view=all&sort=-absent",
            "/caseload/file?view=all",
            "/caseload?view=all&q=nobody+of+this+name",
        ),
        *(
            "/flagged/{case_student}/set-aside",
            "/flagged",
            "/flagged?since=year&tier=3",
            "/flagged?since=7&owner=without&tier=3",
        ),
        *("/outreach", "/outreach?q=nobody+of+this+name", "/outreach/{student_id}", "/students/{student}"),
        *("/cases/{case}", "/cases/{case}/timeline", "/cases/{case}/tasks", "/cases/{case}/contacts"),
        *("/cases/{case}/plan", "/cases/{case}/attendance", "/cases/{case}/restricted"),
        *("/cases/{case}/outreach", "/cases/{case}/causes", "/cases/{case}/notes", "/cases/{case}/plan/write"),
        *("/cases/{case}/plan/supports/new", "/interview-guide", "/cases/{case}/supports-first"),
        *("/cases/{case}/assign", "/cases/{case}/pause", "/cases/{case}/close", "/cases/{case}/restricted/stls"),
        *("/cases/{case}/help", "/asked"),
        "/contacts-made/{contact}",
        "/supports",
        *("/consider", "/students/{case_student}/risk", "/students/{case_student}/risk/leave-out"),
    ),
    "attendance_clerk": (
        *("/today", "/imports", "/imports?page=99", "/fix", "/students/{student}", "/quality", "/late"),
        *("/absent", "/absent?view=settled&sort=last", "/absent/never-came", "/outreach/{student_id}"),
        "/contacts/{student_id}",
    ),
    "data_steward": (
        *("/imports/{batch}", "/fix/unknown_codes", "/fix/unmatched", "/fix/late_schools", "/fix/did_not_arrive"),
        *("/fix/code?code=QX", "/fix/same-child", "/fix/same-child?one={student}&other={looked_after}"),
        *("/health", "/quality", "/late/{late_day}"),
    ),
    "homeroom_teacher": ("/today",),
    "nurse": (
        *("/today", "/caseload?view=all", "/students/{looked_after}/restricted/health", "/supports/health"),
        *("/supports/health?q={looked_after}", "/supports/health/reads", "/supports/health/ask/{looked_after_id}"),
        *("/supports/promises/{promise}", "/rights-sheet"),
    ),
    "stls_liaison": ("/today", "/supports/stls"),
    "principal": (
        *("/meeting", "/meeting/schools/{met_school}", "/meeting/{meeting}", "/meeting/{meeting}/students/1"),
        *("/meeting/{meeting}?view=room&names=initials", "/meeting/{meeting}/students/1?view=room"),
        *(
            "/today",
            "/schools",
            "/schools/{own_school}/ladder",
            "/schools/{own_school}/movement",
            "/people",
            "/people/classes",
            "/people/new",
            "/people/{nurse}",
        ),
        *("/week", "/week/{own_school}/asked/waiting", "/week/{own_school}/tasks/counselor"),
        *("/students/{looked_after}/crisis", "/crisis", "/crisis/{own_opening}", "/crisis/{opening}"),
        *("/departments/transportation", "/clusters/{cluster}"),
        *("/what-works", "/waiting", "/people/seats?without=counselor", "/people/{nurse}/roles/{nurse_grant}/terms"),
    ),
    "network_lead": (
        *("/departments", "/integrity", "/integrity/{integrity}"),
        *("/week", "/today", "/networks", "/schools", "/waiting", "/reviews", "/nudges", "/goals"),
    ),
    "district_analyst": (
        "/what-works",
        "/district",
        "/district/follow-through",
        "/networks",
        "/networks/{network}",
        "/networks/{network}/follow-through",
        "/schools/{school}",
        *("/networks/{network}/movement", "/networks/{network}/year", "/networks/{network}/groups"),
        "/schools/{school}/follow-through",
        "/schools/{school}/nudge",
        "/figures/school:{school}",
        "/reviews/{review}",
        "/reviews/{review}/lines/1",
        *("/goals/new", "/goals/{goal}", "/public"),
    ),
    "system_admin": (
        *("/scripts", "/today", "/people?q=nurse", "/gallery", "/sources", "/sources/new", "/sources/new?kind=sftp"),
        *("/sources/{source}", "/sources/{source}/edit"),
    ),
    "counselor": ("/policy", "/supports/counseling"),
    "policy_editor": (
        *("/policy", "/policy/people", "/policy/versions", "/policy/versions/{policy}", "/policy/compare"),
        *("/policy/changes/new", "/policy/changes/upload", "/policy/changes/{change}"),
        *("/policy/changes/{change}/edit", "/policy/changes/{change}/activate?starts=2026-09-01"),
        *("/policy/simulate", "/policy/simulate/{trial}"),
    ),
    "student_support_lead": (
        *("/risk-model", "/risk-model/{risk_model}", "/risk-model/{risk_model}/past-years?day=20"),
        "/risk-model/{risk_model}/groups",
    ),
    "partner": ("/",),
}
REFUSED: Mapping[tuple[str, str], int] = {
    ("", "/set-password/forged"): 422,
    ("social_worker", "/people"): 403,
    ("social_worker", "/students/no-such-student"): 404,
}
ELSEWHERE = {
    "drafts.show": "needs a session that ended while somebody wrote: tests/web/test_drafts.py",
    "signin.code": "asks for a second factor, which people of the demo do not need",
    "signin.app": "the same",
    "batches.match": "step 2 of an import: test_import.py",
    "case_work.reopen": "needs a closed case",
    "hand_overs.one": "needs a question that somebody asked: tests/web/test_hand_overs.py",
    "letters.one": "in each of its states: test_correction.py",
    "duty.pack": "needs a record that is whole: tests/web/test_duty.py",
    "plans.look": "needs a plan: test_plan.py",
    "plans.family": "the same",
    "plan_supports.change": "needs a support: test_plan.py",
    "plan_supports.result": "the same",
    "signin.extend": "an answer for the script",
    "health.healthz": "an answer for machines",
    "health.readyz": "an answer for machines",
    "batches.problems": "a file",
    "quality.download": "a file",
    "policy.download": "a file",
    "calendar.feed": "an answer for calendar programs",
    "figures.take": "a file",
    "published.file": "a file",
    "risk_model_card.file": "a file",
    "risk_model_card.year": "needs a finished year with a model: tests/web/test_risk_model.py",
    "api.openapi": "an answer for scripts",
    "api.measures": "an answer for scripts",
    "api.tiers": "an answer for scripts",
    "api.cases": "an answer for scripts",
    "api.ledger": "an answer for scripts",
    "static": "files",
    "bootstrap.static": "files",
}
EIGHT = Numbers(date(2027, 2, 1), "To be agreed on", typed={"bands.tier_2.at_least": "8"})
IN_THE_DARK = (
    *(("social_worker", path) for path in ("/today", "/caseload", "/cases/{case}", "/cases/{case}/outreach")),
    *(("social_worker", path) for path in ("/flagged", "/gallery")),
    ("student_support_lead", "/risk-model/{risk_model}/past-years"),
)


@pytest.fixture(scope="package")
def numbers(system: System) -> dict[str, Any]:
    """What the addresses above name: a case of the social worker, and a school that sent nothing for two days."""
    with system.inside():
        nurse, worker = accounts.find("nurse").id, accounts.find("social_worker").id
        case = db.session.scalars(select(Case).where(Case.closed_on.is_(None), Case.owner_id == worker)).first()
        assert case, "the social worker of the demo owns a case"
        late = db.session.scalars(select(School).order_by(School.id)).all()[-2]
        newcomer = db.session.scalars(select(Person.id).where(~Person.is_demo).order_by(Person.id)).first() or 0
        link = credentials.new_link(person_id=newcomer, by=OPERATOR)
        version = policies.timeline().on(date(2026, 9, 1)).version
        looked_after = pupil_of(nurse)
        return {
            "nurse": nurse,
            "nurse_grant": db.session.scalar(select(Grant.id).where(Grant.person_id == nurse)),
            "case": case.number,
            "student": case.student.key,
            "case_student": case.student_id,
            "looked_after": looked_after.key,
            "looked_after_id": looked_after.id,
            **opened_of(looked_after.id),
            "promise": promises.ask(looked_after.id, Asked(kind="asthma_plan"), by=accounts.acting_as("nurse")).id,
            "student_id": db.session.scalar(select(Stint.student_id).where(Stint.school_id == case.school_id).limit(1)),
            "contact": db.session.scalar(select(Outreach.id).where(Outreach.author_id == worker).limit(1)),
            "own_school": accounts.find("principal").grants[0].place.partition(":")[2],
            "batch": db.session.scalar(select(Batch.id).where(Batch.kind == "attendance").order_by(Batch.id).limit(1)),
            **watched_of(),
            "source": keeping.add("Aspen", Wanted("folder", location={"folder": "aspen"}), by=OPERATOR),
            **meeting_of(),
            "review": reviewing.begin(Place.district(), by=signing_in.actor_of(accounts.find("district_analyst"))),
            "goal": goal_of("district_analyst"),
            "visit": visit_of(case, worker, nurse),
            "school": late.key,
            "late_day": missing_day(),
            "network": late.network.key,
            "link": link.rpartition("/")[2],
            "policy": version,
            "change": policy_changes.begin(version, EIGHT, by=OPERATOR),
            "risk_model": tried_model(),
            "trial": simulating.ask(version, by=OPERATOR, place=Place.district(), queued=False),
        }


def tried_model() -> int:
    """A risk model that was tried and refused."""
    with transaction():
        model = risk_report.model("refused", refusals=risk_report.MISSED)
        db.session.add(model)
        db.session.flush()
        return model.id


def goal_of(login: str) -> str:
    """A goal of the whole district."""
    by, wanted = signing_in.actor_of(accounts.find(login)), goals.Wanted(measure="tiers", target=150)
    return goals.put(Place.district(), wanted, once="goal/screens", by=by)


def watched_of() -> dict[str, int]:
    """A cluster at the principal's school, and a question about the record of one of the network lead's."""
    own = accounts.find("principal").grants[0].place.partition(":")[2]
    network = accounts.find("network_lead").grants[0].place.partition(":")[2]
    school = db.session.scalars(select(School).where(School.key == own)).one()
    asked = db.session.scalars(select(School).join(School.network).where(Network.key == network)).first()
    assert asked
    days = {"first_day": today(), "last_day": today()}
    with transaction():
        cluster = Cluster(
            kind="route", group_key="7", school_id=school.id, network_id=school.network_id, department="transportation",
            owner_role="department_contact", due=today(), state="open", opened=today(), opened_at=now(),
            alarmed_day=today(), through=today(), window_days=1, observed=24, expected=2100, members=36, odds=90_000,
            **days,
        )  # fmt: skip
        question = IntegrityQuestion(
            measure="became_present", school_id=asked.id, x=11, n=40, usual=75_000, state="asked", who="",
            asked_on=today(), asked_at=now(), **days,
        )  # fmt: skip
        db.session.add_all([cluster, question])
        db.session.flush()
        counted = {"observed": 24, "expected": 2100, "members": 36, "excused": 1}
        db.session.add(ClusterDay(cluster_id=cluster.id, school_id=school.id, day=today(), **counted))
    return {"cluster": cluster.id, "integrity": question.id}


def opened_of(student: int) -> dict[str, int]:
    """What the principal has open of a student in a crisis, and what somebody else opened and the principal answers."""
    reason = "Fainted in the gym, and the nurse is at the other school."
    own, others = (signing_in.actor_of(accounts.find(login)) for login in ("principal", "social_worker"))
    return {
        "own_opening": crisis.open_record(student, "health", by=own, reason=reason).id,
        "opening": crisis.open_record(student, "health", by=others, reason=reason).id,
    }


def meeting_of() -> dict[str, Any]:
    """A meeting of the principal's school that has begun, with somebody on its agenda."""
    principal = signing_in.actor_of(accounts.find("principal"))
    key = principal.grants.held[0].place.key
    meeting = holding.begin(key, by=principal)
    case = select(Case.number).join(School).where(School.key == key, Case.closed_on.is_(None)).limit(1)
    holding.add_student(meeting, db.session.scalars(case).one(), by=principal)
    return {"met_school": key, "meeting": meeting}


def visit_of(case: Case, visitor: int, watcher: int) -> int:
    """The number of a visit for today, with somebody of a partner."""
    wanted = {"case_id": case.id, "student_id": case.student_id, "school_id": case.school_id, "day": today()}
    with transaction():
        visit = Visit(**wanted, visitor_id=visitor, second_name="J. Lee", watcher_id=watcher, planned_at=now())
        db.session.add(visit)
    return visit.id


def pupil_of(person: int) -> Student:
    """The first student of the school at which somebody works."""
    return db.session.scalars(
        select(Student)
        .join(Stint, Stint.student_id == Student.id)
        .join(School, School.id == Stint.school_id)
        .join(Grant, Grant.place == func.concat("school:", School.key))
        .where(Grant.person_id == person, Stint.exit_date.is_(None))
        .order_by(Student.key)
        .limit(1)
    ).one()


def missing_day() -> int:
    """The number of the task that asks the late school for its day."""
    late_days.follow()
    return db.session.scalars(select(Task.id).where(Task.day.is_not(None)).order_by(Task.id)).one()


@pytest.mark.parametrize("login, path", [(login, path) for login, paths in SCREENS.items() for path in paths])
def test_everybody_can_use_the_page(look: Open, numbers: dict[str, Any], login: str, path: str) -> None:
    page = look(login)
    answer = page.goto(path.format_map(numbers))
    assert answer and answer.status == 200
    assert_fine(page)


@pytest.mark.parametrize("login, path", REFUSED)
def test_everybody_can_read_why_not(look: Open, login: str, path: str) -> None:
    page = look(login)
    answer = page.goto(path)
    assert answer and answer.status == REFUSED[login, path]
    assert_fine(page)


@pytest.mark.parametrize("login, path", IN_THE_DARK)
def test_the_page_can_be_read_in_the_dark(look: Open, numbers: dict[str, Any], login: str, path: str) -> None:
    page = look(login)
    page.emulate_media(color_scheme="dark")
    page.goto(path.format_map(numbers))
    found = contrast_troubles(page)
    page.emulate_media(color_scheme="light")
    assert found == []


def test_the_demo_has_something_to_watch_over(system: System) -> None:
    with system.inside():
        for table, least in ((Goal, 3), (StrategyLook, 3), (PlanSupport, 40), (Nudge, 1)):
            assert (db.session.scalar(select(func.count()).select_from(table)) or 0) >= least, table
        given = select(func.count()).select_from(SupportGiven)
        assert (db.session.scalar(given) or 0) > 100
        late = select(Batch.status).where(Batch.name == "late-changes.csv")
        assert db.session.scalars(late).all() == ["applied"]


def test_no_page_is_left_out(system: System, numbers: dict[str, Any]) -> None:
    """A new screen fails here until it has a line above."""
    addresses = create_app(system.settings).url_map.bind("localhost")
    visited = {
        addresses.match(path.format_map(numbers).partition("?")[0])[0] for paths in SCREENS.values() for path in paths
    }
    pages = {rule.endpoint for rule in addresses.map.iter_rules() if "GET" in (rule.methods or ())}
    assert pages - visited == set(ELSEWHERE)
