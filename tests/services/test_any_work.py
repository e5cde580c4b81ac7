"""Whatever people do in whatever order, the hourly work comes to its end, and a refusal is a sentence."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from ew_app.kernel import SENTENCES, transaction
from ew_app.services.casework import (
    amending,
    answering,
    causes,
    closing,
    handing_out,
    handing_over,
    moves,
    outreach,
    school_changes,
    searching,
    tasks,
    visit_alarm,
    visits,
)
from ew_app.services.casework.causes import Heard
from ew_app.services.casework.handing_over import Wanted
from ew_app.services.casework.outreach import Attempt
from ew_app.services.notices import news
from models.base import db
from models.people import Stint
from models.staff import Person
from rules.duty_of_care import FOUND, duty
from tests.services.one_case import follow
from tests.services.world import TODAY, World, rows

STEPS = 150
STAFF = ("wanda", "max", "cora", "paul", "nia", "lea", "dora", "otto", "wes", "clara")
SEATS = (("wanda", "social_worker"), ("max", "social_worker"), ("nia", "nurse"), ("cora", "counselor"),
         ("lea", "stls_liaison"), ("paul", "principal"), ("dora", "counselor"))  # fmt: skip
CAUSES = ("B-HOUSING", "B-TRANSPORT", "A-BULLY", "B-HLTH-CHRON", "B-BASIC", "B-SAFETY")
OUTCOMES = ("reached_agreed", "left_voicemail", "no_answer", "number_not_working")
OVER = """
    SELECT 'a question about a closed case', h.id FROM hand_over h JOIN support_case c ON c.id = h.case_id
    WHERE h.state IN ('to_write', 'sent') AND c.closed_on IS NOT NULL
    UNION ALL SELECT 'a visit for a closed case', v.id FROM visit v JOIN support_case c ON c.id = v.case_id
    WHERE v.status = 'planned' AND c.closed_on IS NOT NULL
    UNION ALL SELECT 'a case whose student is at another school, and nobody is asked', c.id FROM support_case c
    JOIN student_status t USING (student_id)
    WHERE c.closed_on IS NULL AND t.enrolled_now AND t.school_id <> c.school_id AND NOT EXISTS (
        SELECT FROM hand_over h WHERE h.case_id = c.id AND h.kind = 'school_change' AND h.state IN ('to_write', 'sent'))
    UNION ALL SELECT 'a task for nobody that somebody could do', t.id
    FROM task t JOIN support_case c ON c.id = t.case_id
    WHERE t.status = 'open' AND t.owner_id IS NULL AND t.compartment IS NULL AND c.owner_id IS NOT NULL
      AND c.closed_on IS NULL AND t.owner_role = c.owner_role
"""


class Walk:
    """One order of things that people do in the named district, drawn from a seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.draw = world, random.Random(seed)
        self.done: list[str] = []

    def who(self):
        return self.world.actor(self.draw.choice(STAFF))

    def person(self) -> int:
        return self.world.people[self.draw.choice(STAFF)]

    def number(self) -> int:
        return self.one("SELECT number FROM support_case")

    def one(self, query: str) -> int:
        found: Sequence[tuple[int, ...]] = rows(query)
        return self.draw.choice(found)[0] if found else 0

    def wanted(self) -> Wanted:
        login, role = self.draw.choice(SEATS)
        return Wanted(to=f"{self.world.people[login]}:{role}", asked="Please look at this")

    def attempt(self) -> Attempt:
        later = self.draw.choice((None, TODAY + timedelta(days=3)))
        outcome = self.draw.choice(OUTCOMES)
        return Attempt(method="call", outcome=outcome, next_date=later, by_ladder=self.draw.random() < 0.5)

    def goes_to_another_school(self) -> None:
        name, school = self.draw.choice(("ana", "ben", "dan", "eva")), self.draw.choice(("LIN", "DOU", "ROS"))
        student, to = self.world.students[name], self.world.schools[school]
        with transaction():
            mine = db.session.query(Stint).filter(Stint.student_id == student)
            mine.filter(Stint.entry_date < TODAY).update({"exit_date": TODAY - timedelta(days=1)})
            if not mine.filter(Stint.entry_date == TODAY).update({"school_id": to}):
                db.session.add(Stint(student_id=student, school_id=to, entry_date=TODAY))
        self.world.stands(name, 2, school_id=to)

    def leaves_or_comes_back(self) -> None:
        login = self.draw.choice(STAFF)
        with transaction():
            for grant in db.session.get_one(Person, self.world.people[login]).grants:
                grant.ends = None if grant.ends else TODAY - timedelta(days=1)

    def puts_right(self) -> None:
        entry = self.one("SELECT id FROM outreach")
        amending.change(entry, self.attempt(), by=self.who(), version=self.draw.choice((1, 2)))

    def plans_a_visit(self) -> None:
        wanted = visits.Wanted(day=TODAY, second_id=self.person(), watcher_id=self.person(), phone="312 555 0142")
        visits.plan(self.number(), wanted, by=self.who())

    def hour_passes(self) -> None:
        handing_out.hand_out()
        assert rows(OVER) == [], self.done
        for login in STAFF:
            news.read(self.world.actor(login))

    def ways(self) -> list[Callable[[], object]]:
        """What may happen, the hour three times as often."""
        sent, open_task = "SELECT id FROM hand_over WHERE state = 'sent'", "SELECT id FROM task WHERE status = 'open'"
        heard = lambda: Heard(code=self.draw.choice(CAUSES), said_by="caregiver")  # noqa: E731
        useful = dict.fromkeys(("R07", "R08", "R18"), "yes")
        return [
            self.hour_passes, self.hour_passes, self.hour_passes, self.goes_to_another_school,
            self.leaves_or_comes_back, self.puts_right, self.plans_a_visit, visit_alarm.look,
            lambda: follow(self.world),
            lambda: moves.assign(self.number(), by=self.who(), to=self.person()),
            lambda: moves.pause(self.number(), by=self.who(), reason="agreed", until=TODAY + timedelta(days=3)),
            lambda: handing_over.refer(self.number(), self.wanted(), by=self.who()),
            lambda: handing_over.transfer(self.number(), self.wanted(), by=self.who()),
            lambda: handing_over.ask_for_case(self.number(), by=self.who(), why="I know the brother"),
            lambda: answering.accept(self.one(sent), by=self.who()),
            lambda: answering.decline(self.one(sent), by=self.who(), why="Too many"),
            lambda: answering.take_back(self.one("SELECT id FROM hand_over"), by=self.who()),
            lambda: school_changes.write(self.one("SELECT id FROM hand_over"), by=self.who(), story="Likes chess"),
            lambda: outreach.log_outreach(self.attempt(), by=self.who(), case_number=self.number()),
            lambda: amending.strike(self.one("SELECT id FROM outreach"), why="Another child", by=self.who()),
            lambda: causes.record_cause(self.number(), heard(), by=self.who()),
            lambda: causes.end_cause(self.one("SELECT id FROM cause"), by=self.who()),
            lambda: tasks.finish(self.one(open_task), by=self.who()),
            lambda: visits.call_off(self.one("SELECT id FROM visit"), "Snow", by=self.who()),
            lambda: searching.begin(self.number(), by=self.who(), again=True),
            lambda: searching.do(self.number(), self.draw.choice((*duty().search, FOUND)), by=self.who(), words="x"),
            lambda: closing.close(self.number(), by=self.who(), reason="not_needed", useful=useful),
            lambda: closing.reopen(self.number(), by=self.who(), why="Gone again"),
        ]  # fmt: skip

    def go(self, steps: int) -> None:
        ways = self.ways()
        for _ in range(steps):
            at = self.draw.randrange(len(ways))
            try:
                ways[at]()
            except SENTENCES:
                continue  # people are told why it cannot be done
            self.done.append(getattr(ways[at], "__name__", "") + str(at))


@pytest.mark.parametrize("seed", [104, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(120, 150))])
def test_the_hour_comes_to_its_end_whatever_was_done_before(world: World, seed: int) -> None:
    for login, role, place in (("max", "social_worker", "school:LIN"), ("wes", "social_worker", "school:ROS")):
        world.give(login, f"{login.title()} Moreno", role, place)
    world.add_student("eva")
    for name, rule in (("ana", "R07"), ("ben", "R08"), ("dan", "R07"), ("eva", "R08")):
        world.stands(name, 2)
        world.finds(name, rule)
    follow(world)
    walk = Walk(world, seed)
    walk.go(STEPS)
    walk.hour_passes()
    assert len(walk.done) > STEPS // 5, "most of it was refused"
