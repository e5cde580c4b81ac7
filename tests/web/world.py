"""The named world of the screen tests: two networks, three schools, four students, one person for each role.

Lincoln and Carver belong to network N, Oak to network S. Everyone works at Lincoln, network N or the district,
their login is their role. Ana and Ben go to Lincoln, Cleo to Carver, Dora to Oak.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from ew_app.kernel import OPERATOR, now, transaction
from ew_app.services.measuring import policies, policy_changes
from ew_app.services.measuring.policy_writing import Wanted
from models.attendance import Batch, Submission
from models.base import db
from models.cases import Case, Cause, Outreach, Task
from models.clusters import Cluster, ClusterDay
from models.crisis import CrisisOpening
from models.duty import DistrictDay, SearchDone
from models.goals import Goal, Strategy, StrategyLook
from models.hand_overs import HandOver
from models.integrity import IntegrityQuestion
from models.letters import Letter
from models.lists import Handful, SavedView
from models.meetings import Meeting, MeetingItem
from models.notices import Notice
from models.org import CalendarDay, Network, School, Source
from models.people import Stint, Student
from models.plans import Plan, PlanSupport, SupportGiven
from models.promises import Promise
from models.quality import QualityFinding
from models.reviews import Nudge, Review, ReviewLine
from models.risk import RiskAnswer, RiskModel
from models.simulations import Simulation
from models.staff import ApiToken, Grant, Person
from models.tiers import StudentStatus
from models.visits import Visit
from rules.places import PlaceKind
from rules.roles import Role, assignable_roles
from tests.services import risk_report

START = date(2026, 8, 17)
FIRST_DAY = date(2020, 1, 1)
PLACES = {PlaceKind.SCHOOL: "school:LIN", PlaceKind.NETWORK: "network:N", PlaceKind.DISTRICT: "district"}


def build() -> dict[str, int]:
    """Make the world; returns the numbers that paths in routes.yaml name."""
    with transaction():
        schools, students = schools_and_students()
        people = {role.key: _person(role.key, role.key, _place(role)) for role in assignable_roles()}
        people["oak_clerk"] = _person("oak_clerk", "attendance_clerk", "school:OAK")
        people["carver_counselor"] = _person("carver_counselor", "counselor", "school:CAR")
        db.session.flush()
        cases = {
            "ana_case": _case(1, students["ana"], schools["LIN"], people["counselor"]),
            "cleo_case": _case(2, students["cleo"], schools["CAR"], people["carver_counselor"]),
            "dora_case": _case(3, students["dora"], schools["OAK"], None),
        }
        db.session.flush()
        batches = {"lincoln_batch": _batch(schools["LIN"]), "oak_batch": _batch(schools["OAK"])}
        db.session.flush()
        on_it = _on_the_case(cases["ana_case"]) | _promised(students["ben"], schools["LIN"], people["stls_liaison"])
        sources = {"source": Source(name="Aspen", kind="folder", location={"folder": "aspen"})}
        db.session.add_all(sources.values())
        db.session.flush()
        tried = {"ben_contact": _tried(students["ben"]), "dora_contact": _tried(students["dora"])}
        db.session.flush()
        findings = {"lincoln_finding": _found(schools["LIN"]), "oak_finding": _found(schools["OAK"])}
        db.session.flush()
        clusters: dict[str, Any] = {
            "lincoln_cluster": _cluster(schools["LIN"]),
            "oak_cluster": _cluster(schools["OAK"]),
            "lincoln_illness": _cluster(schools["LIN"], "building", "health_and_wellness"),
        }
        clusters |= {"lincoln_integrity": _asked_of(schools["LIN"]), "oak_integrity": _asked_of(schools["OAK"])}
        db.session.flush()
        days = {"lincoln_day": _missing(schools["LIN"]), "oak_day": _missing(schools["OAK"])}
        db.session.flush()
        trials = {"north_trial": _trial("network:N"), "oak_trial": _trial("school:OAK")}
        db.session.add_all(trials.values())
        db.session.flush()
        trials["risk_model"] = risk_report.model(artefact="{}")
        db.session.add(trials["risk_model"])
        db.session.flush()
        told: dict[str, Any] = {"counselor_notice": _told(people["counselor"], cases["ana_case"])}
        told["carver_notice"] = _told(people["carver_counselor"], cases["cleo_case"])
        told["ana_visit"] = _visit(cases["ana_case"], people["counselor"], people["principal"])
        told["cleo_visit"] = _visit(cases["cleo_case"], people["carver_counselor"], people["oak_clerk"])
        told["ana_opening"] = _opened(cases["ana_case"], people["counselor"])
        told["dora_opening"] = _opened(cases["dora_case"], people["oak_clerk"])
        told["principal_token"] = _token(people["principal"])
        db.session.add(told["principal_token"])
        told["lincoln_meeting"] = _meeting(schools["LIN"], cases["ana_case"])
        told["oak_meeting"] = _meeting(schools["OAK"], cases["dora_case"])
        told["lincoln_review"], told["oak_review"] = _review("school:LIN"), _review("school:OAK")
        told["lincoln_strategy"] = _goal("school:LIN", "lincoln-goal", people["principal"])
        _goal("school:OAK", "oak-goal", people["oak_clerk"])
        told["principal_question"] = _nudge("school:LIN", people["principal"], people["network_lead"])
        told["oak_nudge"] = _nudge("school:OAK", people["oak_clerk"], people["district_analyst"])
        db.session.flush()
        kept = _kept(people["counselor"])
        # Begun already: to begin it tells the network's contact, who may open the case from then on.
        db.session.add(_search(cases["ana_case"], people["counselor"]))
        db.session.add_all([*kept.values(), *(_flag(students[name]) for name in ("ana", "dora"))])
        db.session.flush()
        answered = (_answered(trials["risk_model"], students[name]) for name in ("ana", "dora"))
        told["ana_answer"], told["dora_answer"] = answered
        db.session.add_all([told["ana_answer"], told["dora_answer"]])
        asked = {"ana_question": _question(cases["ana_case"], people["counselor"], people["nurse"])}
        asked["dora_question"] = _question(cases["dora_case"], people["oak_clerk"], people["oak_clerk"])
        db.session.flush()
        named = students | people | tried | batches | on_it | findings | sources | days | trials | kept | told | asked
        named |= clusters
        numbers = {name: one.id for name, one in named.items()}
        grants = {f"{name}_grant": person.grants[0].id for name, person in people.items()}
        return numbers | grants | {name: case.number for name, case in cases.items()} | _policies()


def _policies() -> dict[str, Any]:
    """Today's policy, planned once more for a day that none of us sees, and a change of it."""
    version = policies.timeline().on(START).version
    planned = policies.put_in_force(version, starts=date(2199, 7, 1), by=OPERATOR)
    change = policy_changes.begin(version, Wanted(date(2199, 7, 1), "To be agreed on"), by=OPERATOR)
    return {"policy": version, "planned": planned, "policy_change": change}


def _token(person: Person) -> ApiToken:
    """A token that nobody knows any more."""
    last_day = date(2199, 12, 31)
    return ApiToken(
        token_hash="0" * 64, person_id=person.id, name="Counts", hint="0000", made_at=now(), last_day=last_day
    )


def _answered(model: RiskModel, student: Student) -> RiskAnswer:
    """What somebody who has left answered to it."""
    return RiskAnswer(
        model_id=model.id, student_id=student.id, day=START, range_key="3", answer="dismissed", reason="Came back",
        author="Somebody", position="School counselor", written_at=now() - timedelta(days=30),
    )  # fmt: skip


def _search(case: Case, by: Person) -> SearchDone:
    """The search for a student, begun."""
    by_whom = {"author_id": by.id, "author": by.name, "position": "counselor", "written_at": now()}
    return SearchDone(case_id=case.id, episode=1, step="begun", on_day=START, **by_whom)


def _kept(counselor: Person) -> dict[str, SavedView | Handful]:
    """What the counselor keeps: a view of the caseload, and cases given away long ago."""
    view = SavedView(person_id=counselor.id, page="caseload", name="Grade 4", asks={"view": "mine"}, kept_at=now())
    given = Handful(person_id=counselor.id, given_to=counselor.id, at=now() - timedelta(days=1), before=[])
    return {"view": view, "given": given}


def _flag(student: Student) -> StudentStatus:
    """Stands in Tier 2 since the first day."""
    return StudentStatus(
        student_id=student.id, school_id=student.stints[0].school_id, grade="4", enrolled_now=True, tier=2,
        too_early=False, tier_since=START, rules=[], enrolled=52000, absent=6000, absent_last_20=0,
        enrolled_last_20=20000,
    )  # fmt: skip


def _trial(place: str) -> Simulation:
    """A trial of a policy that waits for its turn."""
    return Simulation(
        asked_at=now(), asked_by="policy_editor", asked_name="Person policy_editor", version="0" * 64, label="Ours",
        in_force="1" * 64, in_force_label="Early watch", place=place, place_name="North",
        school_year=date(2026, 7, 1), as_of=None, through=START, students=2, slices=[2], status="waiting",
    )  # fmt: skip


def schools_and_students() -> tuple[dict[str, School], dict[str, Student]]:
    """The schools and who goes there, in the open transaction."""
    schools = _schools()
    return schools, _students(schools)


def _schools() -> dict[str, School]:
    north, south = Network(key="N", name="North"), Network(key="S", name="South")
    made = {
        "LIN": School(key="LIN", name="Lincoln", network=north, source_id=None),
        "CAR": School(key="CAR", name="Carver", network=north, source_id=None),
        "OAK": School(key="OAK", name="Oak", network=south, source_id=None),
    }
    db.session.add_all(made.values())
    db.session.flush()
    for school in made.values():
        day = CalendarDay(school_id=school.id, calendar_key="", day=START, day_type="instructional", weight=1000)
        db.session.add(day)
    return made


def _students(schools: dict[str, School]) -> dict[str, Student]:
    where = {"ana": ("LIN", "4A"), "ben": ("LIN", "5B"), "cleo": ("CAR", "4A"), "dora": ("OAK", "4A")}
    made = {}
    for name, (school, homeroom) in where.items():
        student = Student(
            key=f"00{len(made) + 1}", first_name=name.title(), last_name="Sample", grade="4", homeroom=homeroom
        )
        student.stints = [Stint(school=schools[school], entry_date=START)]
        made[name] = student
    db.session.add_all(made.values())
    db.session.flush()
    return made


def _place(role: Role) -> str:
    return next(place for kind, place in PLACES.items() if kind in role.places)


def _person(login: str, role: str, place: str) -> Person:
    person = Person(login=login, name=f"Person {login}", created_at=now(), email="", is_demo=False)
    homeroom = "4A" if role == "homeroom_teacher" else ""
    department = "transportation" if role == "department_contact" else ""
    person.grants = [Grant(role=role, place=place, homeroom=homeroom, department=department, starts=FIRST_DAY)]
    db.session.add(person)
    return person


def _case(number: int, student: Student, school: School, owner: Person | None) -> Case:
    case = Case(
        number=number,
        student_id=student.id,
        school_id=school.id,
        tier=2,
        department="School",
        owner_role="counselor",
        owner_id=owner.id if owner else None,
        opened=START,
        opened_at=now(),
        due=START,
    )
    db.session.add(case)
    return case


def _batch(school: School) -> Batch:
    """An attendance file of one school and its first day, applied long ago, without a row."""
    batch = Batch(
        kind="attendance",
        source=db.session.scalar(select(Source)) or Source(name="default"),
        status="applied",
        name=f"{school.key}.csv",
        sha256=school.key,
        received_at=now() - timedelta(days=30),
        received_by="operator",
        applied_at=now() - timedelta(days=30),
        counts={"rows_in": 0},
    )
    db.session.add(batch)
    db.session.flush()
    said = {"school_id": school.id, "day": START, "feed": "exception", "rows": 0, "recorded_at": now()}
    db.session.add(Submission(batch_id=batch.id, whole=True, **said))
    return batch


def _tried(student: Student) -> Outreach:
    """A call of the office about the first day, by somebody who has left."""
    entry = Outreach(
        student_id=student.id, on_day=START, at=now() - timedelta(days=30), method="call", outcome="no_answer",
        is_contact=False, about_day=START, author="Someone before", position="Attendance clerk", written_at=now(),
    )  # fmt: skip
    db.session.add(entry)
    return entry


def _found(school: School) -> QualityFinding:
    """What the night found at a school on its first day."""
    row = QualityFinding(check_key="off_calendar", school_id=school.id, first_seen=START, last_seen=START, count=3)
    db.session.add(row)
    return row


def _cluster(school: School, kind: str = "route", department: str = "transportation") -> Cluster:
    """A bus that did not come on the first day; or what another department is asked."""
    row = Cluster(
        kind=kind, group_key="7", school_id=school.id, network_id=school.network_id, department=department,
        owner_role="department_contact", due=START, state="open", opened=START, opened_at=now(), first_day=START,
        alarmed_day=START, last_day=START, through=START, window_days=1, observed=14, expected=2100, members=20,
        odds=90_000,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    counted = {"observed": 14, "expected": 2100, "members": 20, "excused": 1}
    db.session.add(ClusterDay(cluster_id=row.id, school_id=school.id, day=START, **counted))
    return row


def _asked_of(school: School) -> IntegrityQuestion:
    """A question about the record of a school."""
    row = IntegrityQuestion(
        measure="became_present", school_id=school.id, who="", first_day=START, last_day=START, x=11, n=40,
        usual=75_000, state="asked", asked_on=START, asked_at=now(),
    )  # fmt: skip
    db.session.add(row)
    return row


def _missing(school: School) -> Task:
    """A task that asks a school for its first day."""
    task = Task(
        school_id=school.id, day=START, kind="feed", period=START.isoformat(), rule="missing_day", department="its",
        title="Bring in the attendance of the day", owner_role="attendance_clerk", due=START, created_at=now(),
    )  # fmt: skip
    db.session.add(task)
    return task


def _told(person: Person, case: Case) -> Notice:
    """What somebody was told about a case."""
    notice = Notice(person_id=person.id, kind="case_given", once="test", case_id=case.id, numbers={}, at=now())
    db.session.add(notice)
    return notice


def _visit(case: Case, visitor: Person, watcher: Person) -> Visit:
    """A home visit that was planned for long ago."""
    visit = Visit(
        case_id=case.id, student_id=case.student_id, school_id=case.school_id, day=START, visitor_id=visitor.id,
        second_name="Somebody of a partner", watcher_id=watcher.id, planned_at=now(),
    )  # fmt: skip
    db.session.add(visit)
    return visit


def _opened(case: Case, by: Person) -> CrisisOpening:
    """What somebody opened in a crisis two hours ago, and nobody has looked at."""
    at = now() - timedelta(hours=2)
    row = CrisisOpening(
        person_id=by.id, position="Somebody", student_id=case.student_id, school_id=case.school_id,
        compartment="health", reason="Fainted in the gym, and no nurse was there.", opened_at=at,
        ends_at=at + timedelta(hours=1),
    )  # fmt: skip
    db.session.add(row)
    return row


def _meeting(school: School, case: Case) -> Meeting:
    """A meeting of long ago that nobody has closed, with one student on its agenda."""
    meeting = Meeting(school_id=school.id, day=START, begun_at=now(), begun_by="Person principal", numbers={})
    db.session.add(meeting)
    db.session.flush()
    numbers = {"tier": 2}
    db.session.add(MeetingItem(meeting_id=meeting.id, position=1, case_id=case.id, why=["review"], numbers=numbers))
    return meeting


def _review(place: str) -> Review:
    """A review of long ago that nobody has closed, with one line."""
    review = Review(place=place, day=START, begun_at=now(), begun_by="Person principal", numbers={})
    db.session.add(review)
    db.session.flush()
    db.session.add(ReviewLine(review_id=review.id, position=1, subject="grade:4", name="Grade 4", numbers={}))
    return review


def _goal(place: str, thread: str, by: Person) -> Strategy:
    """A goal of a school with something that is done for it."""
    signed = {"author_id": by.id, "author": by.name, "position": "Somebody", "written_at": now()}
    db.session.add(
        Goal(
            thread=thread, version=1, place=place, measure="tiers", target=200, by_day=date(2199, 6, 1),
            base_day=START, once=thread, **signed,
        )
    )  # fmt: skip
    strategy = Strategy(thread=thread, place=place, words="Greet at the door", owner_id=by.id, once=thread, **signed)
    db.session.add(strategy)
    db.session.flush()
    db.session.add(StrategyLook(strategy_id=strategy.id, words="Begun", next_on=START, once=thread, **signed))
    return strategy


def _nudge(place: str, asked_of: Person, by: Person) -> Nudge:
    """Something asked about a school, without an answer."""
    row = Nudge(
        place=place, words="What would help?", owner_id=asked_of.id, due=START, asked_id=by.id, asked_by=by.name,
        position="Somebody", asked_at=now(), once=f"test/{place}",
    )  # fmt: skip
    db.session.add(row)
    return row


def _promised(student: Student, school: School, liaison: Person) -> dict[str, Task | Promise]:
    """A task and a promise inside a compartment."""
    here = {
        "student_id": student.id,
        "school_id": school.id,
        "compartment": "stls",
        "owner_id": liaison.id,
        "due": START,
    }
    task = Task(
        **here, kind="support", period="2026-27/R22/1", title="Look at transport, uniform and fees", department="stls",
        owner_role="stls_liaison", created_at=now(),
    )  # fmt: skip
    promise = Promise(
        **here, kind="ventra", asked_on=START, author="Person stls_liaison", position="Liaison", written_at=now()
    )
    db.session.add_all([task, promise])
    return {"stls_task": task, "stls_promise": promise}


def _question(case: Case, sender: Person, receiver: Person) -> HandOver:
    """Help with a case that somebody asked for, and that nobody has promised yet."""
    row = HandOver(
        kind="refer", state="sent", case_id=case.id, student_id=case.student_id, school_id=case.school_id,
        from_id=sender.id, to_id=receiver.id, to_role=receiver.grants[0].role, asked="Look at the morning medicine",
        asked_on=START, created_at=now(),
    )  # fmt: skip
    db.session.add(row)
    return row


def _on_the_case(case: Case) -> dict[str, Any]:
    """A task, a cause and a letter, so that addresses of one of them can be tried."""
    task = Task(
        case_id=case.id, student_id=case.student_id, school_id=case.school_id, kind="visit", period="2026-27/R08/1",
        title="Visit the family at home", department="School", owner_role="counselor", owner_id=case.owner_id,
        due=START, created_at=now(),
    )  # fmt: skip
    cause = Cause(
        case_id=case.id, student_id=case.student_id, code="B-TRANSPORT", said_by="caregiver", confidence="said",
        author_id=case.owner_id, author="Person counselor", position="School counselor", written_at=now(),
    )  # fmt: skip
    letter = Letter(
        case_id=case.id, student_id=case.student_id, school_id=case.school_id, template="invitation", rule="R16",
        period="2026-27/R16/1", created_at=now(),
    )  # fmt: skip
    db.session.add_all([task, cause, letter])
    return {"ana_task": task, "ana_cause": cause, "ana_letter": letter} | _planned(case)


def _planned(case: Case) -> dict[str, Any]:
    """A plan with a mentor who came once, and a day on which the bus was late."""
    written = {"author_id": case.owner_id, "author": "Person counselor", "position": "School counselor"}
    of_case = {"case_id": case.id, "episode": 1, "written_at": now(), **written}
    plan = Plan(version=1, goal="Here four days of five", next_step="Look at it", review_on=START, **of_case)
    support = PlanSupport(
        student_id=case.student_id, intervention="I12", starts=START, planned_end=START + timedelta(days=84),
        dose_planned=36, **of_case,
    )  # fmt: skip
    db.session.add_all([plan, support])
    db.session.flush()
    given = SupportGiven(support_id=support.id, on_day=START, written_at=now(), **written)
    late_bus = DistrictDay(student_id=case.student_id, day=START, why="bus", written_at=now(), **written)
    db.session.add_all([given, late_bus])
    return {"ana_support": support, "ana_given": given, "ana_day": late_bus}
