"""The life of a cluster in a district with people: found, given, followed, withdrawn, ended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flask import current_app
from sqlalchemy import delete, select, text

from ew_app.kernel import Conflict, NotFound, Refused, transaction
from ew_app.services.watching import cluster_work, clusters, panels
from models.attendance import Mark
from models.base import db
from models.clusters import Cluster, ClusterLook
from models.org import School
from models.queries import away_panel
from models.queries import clusters as queries
from rules.access import NotAllowed
from tests.opened import on, statements
from tests.rules import away
from tests.services import world as district
from tests.services.panel_rows import Written
from tests.services.world import World, rows

DAYS = 34
INVENTED = away.panel(schools=6, students=200, days=DAYS, seed=5)
LAST = INVENTED.days[-1]


class Place(World):
    """The named people beside six invented schools, the last day not yet sent."""

    written: Written


def build() -> Place:
    made = Place(**vars(district.build()))
    made.written = Written(away.up_to(INVENTED, DAYS - 1))
    made.give("tess", "Tess Ray", "department_contact", "district")
    made.give("sal", "Sal Good", "department_contact", "district")
    made.give("nora", "Nora Vale", "network_lead", "network:P1")
    made.give("petra", "Petra Lane", "principal", "school:P01")
    made.give("quinn", "Quinn Hale", "principal", "school:P02")
    with transaction():
        for login, department in (("tess", "transportation"), ("sal", "safety_and_security")):
            set_to = text("UPDATE role_grant SET department = :to WHERE person_id = :who")
            db.session.execute(set_to, {"to": department, "who": made.people[login]})
    return made


@pytest.fixture
def place(settings, built_once):
    settings = replace(settings, today=LAST)
    made = built_once(settings, build)
    with on(settings):
        yield made


def no_show(place: Place, route: int = 3, day=LAST) -> list[int]:
    """The bus of a route does not come: most of its students are away. Returns who was marked."""
    with transaction():
        members = place.written.members("route", route)
        there = [row for row in members if not place.written.panel.away[row, DAYS - 1]]
        stay = there[: len(there) * 3 // 4]
        place.written.mark(stay, day)
        place.written.again(day)
    return stay


def open_ones() -> list[Cluster]:
    return list(db.session.scalars(select(Cluster).where(Cluster.state == "open")))


def test_what_is_read_from_the_database_is_what_was_written(place):
    days = away_panel.days_before(LAST, 60)
    seen = panels.read(days)
    ours = np.isin(np.array(seen.schools)[seen.panel.school], place.written.schools)
    seen = replace(seen, panel=seen.panel.of(ours))
    assert seen.panel.days == INVENTED.days
    assert (seen.panel.away == INVENTED.away).all() and seen.panel.here.all()
    for kind, codes in INVENTED.groups.items():
        named = [seen.names[kind][code][1] if code >= 0 else "" for code in seen.panel.groups[kind].tolist()]
        assert named == [f"{kind[0]}{code}" if code >= 0 else "" for code in codes.tolist()]


def test_what_was_sent_of_a_former_id_is_the_childs(place):
    child, former = place.written.students[3], place.written.students[7]
    with transaction():
        db.session.execute(text("DELETE FROM mark WHERE student_id = ANY(:both)"), {"both": [child, former]})
        db.session.execute(text("UPDATE stint SET student_id = :child, former_id = :former WHERE student_id = :former"),
                           {"child": child, "former": former})  # fmt: skip
        db.session.execute(text("UPDATE student SET same_as = :child WHERE id = :id"), {"child": child, "id": former})
        place.written.mark([7], LAST)
    read = away_panel.read([LAST])
    assert (child in read.away["student"].tolist(), former in read.away["student"].tolist()) == (True, False)


def test_following_a_route_asks_no_more_for_more_schools(place):
    """Each school of the network is looked at, from what was read once."""

    def asked() -> int:
        with transaction():
            place.written.again(LAST)
        with statements(current_app) as sent:
            clusters.look()
        return len(sent)

    no_show(place)
    asked()
    few, network = asked(), db.session.scalar(text("SELECT max(network_id) FROM cluster"))
    with transaction():
        for number in range(10):
            db.session.add(School(key=f"X{number}", name=f"School {number}", network_id=network, source_id=None))
        copy = """INSERT INTO stint (student_id, school_id, entry_date, exit_code, grade, calendar_key, former_id)
                  SELECT t.student_id, x.id, t.entry_date, '', '', '', 0 FROM stint t JOIN school x ON x.key LIKE 'X%'
                  WHERE t.school_id = (SELECT school_id FROM cluster)"""
        db.session.execute(text(copy))
    assert asked() == few


def test_a_bus_that_did_not_come_is_one_case_with_transportation(place):
    assert clusters.look() > 0 and open_ones() == []
    no_show(place)
    clusters.look()
    (one,) = open_ones()
    assert (one.kind, one.group_key, one.department) == ("route", "r3", "transportation")
    assert (one.owner_id, one.school_id) == (place.people["tess"], place.written.schools[1])
    assert one.last_day == LAST and one.observed > 10 > one.expected / 1000
    told = rows("SELECT day, observed, members, excused FROM cluster_day ORDER BY day")
    assert [(day, observed, excused) for day, observed, _, excused in told[-1:]] == [(LAST, one.observed, 0)]
    assert len(told) == 1 + clusters.LEAD and max(observed for _, observed, *_ in told[:-1]) < one.observed
    assert rows("SELECT kind, person_id FROM notice") == [("cluster_given", place.people["tess"])]
    assert clusters.look() == 0, "nothing came since"
    with transaction():
        place.written.again(LAST)
    clusters.look()
    assert len(open_ones()) == 1 and len(rows("SELECT id FROM cluster_note")) == 1, "found again, opened once"


def test_a_mark_taken_back_withdraws_it_unless_somebody_is_on_it(place):
    stay = no_show(place)
    clusters.look()
    (one,) = open_ones()
    with transaction():
        mine = [place.written.students[row] for row in stay]
        db.session.execute(delete(Mark).where(Mark.student_id.in_(mine), Mark.day == LAST))
        place.written.again(LAST)
    clusters.look()
    assert open_ones() == [] and db.session.get_one(Cluster, one.id).state == "withdrawn"
    assert rows("SELECT step FROM cluster_note ORDER BY id") == [("opened",), ("withdrawn",)]


def test_somebody_who_looks_into_it_is_told_that_the_evidence_is_gone(place):
    stay = no_show(place)
    clusters.look()
    (one,) = open_ones()
    cluster_work.take(one.id, by=place.actor("tess"))
    with transaction():
        mine = [place.written.students[row] for row in stay]
        db.session.execute(delete(Mark).where(Mark.student_id.in_(mine), Mark.day == LAST))
        place.written.again(LAST)
    clusters.look()
    (one,) = open_ones()
    assert one.gone_on == LAST
    assert rows("SELECT step FROM cluster_note ORDER BY id") == [("opened",), ("taken",), ("gone",)]


def test_it_ends_with_a_reason_and_is_not_opened_again_for_the_same_day(place):
    no_show(place)
    clusters.look()
    (one,) = open_ones()
    tess = place.actor("tess")
    with pytest.raises(Refused, match="in a few words"):
        cluster_work.close(one.id, "mended", " ", by=tess)
    with pytest.raises(Refused, match="Choose"):
        cluster_work.close(one.id, "forgotten", "The bus broke down", by=tess)
    cluster_work.write(one.id, "The dispatcher has no record of the run.", by=tess, once="x")
    cluster_work.write(one.id, "The dispatcher has no record of the run.", by=tess, once="x")
    cluster_work.close(one.id, "false_alarm", "A field trip, coded as absence", by=tess)
    with pytest.raises(Conflict):
        cluster_work.take(one.id, by=tess)
    with transaction():
        place.written.again(LAST)
    clusters.look()
    assert open_ones() == []
    assert cluster_work.useful_share() == {"route": (0, 1)}
    steps = rows("SELECT step, author FROM cluster_note ORDER BY id")
    assert steps == [("opened", "The system"), ("note", "Tess Ray"), ("closed", "Tess Ray")]


def test_each_sees_what_is_theirs(place):
    no_show(place)
    clusters.look()
    (one,) = open_ones()

    def sees(login: str) -> bool:
        try:
            cluster_work.view_of(place.actor(login)).one(one.id)
        except (NotFound, NotAllowed):
            return False
        return True

    assert {login: sees(login) for login in ("tess", "sal", "nora", "petra", "quinn", "zoe", "cora")} == {
        "tess": True, "sal": False, "nora": True, "petra": True, "quinn": False, "zoe": False, "cora": False,
    }  # fmt: skip
    with pytest.raises(NotAllowed):
        cluster_work.take(one.id, by=place.actor("cora"))


def test_a_route_through_two_schools_of_a_network_is_one_cluster(place):
    """Routes 3 of School 1 and 7 of School 3 are one bus."""
    with transaction():
        db.session.execute(text("UPDATE student SET bus_route = 'r3' WHERE bus_route = 'r7'"))
    no_show(place, 3)
    no_show(place, 7)
    clusters.look()
    (one,) = open_ones()
    schools = {school for (school,) in rows("SELECT DISTINCT school_id FROM cluster_day")}
    assert schools == {place.written.schools[1], place.written.schools[3]}
    assert len([day for day, _ in queries.days_of(one.id, None) if day.day == LAST]) == 2


def test_looks_are_written_down_with_how_much_they_judged(place):
    clusters.look()
    judged = [look.judged for look in db.session.scalars(select(ClusterLook).order_by(ClusterLook.day))]
    assert len(judged) == clusters.BACK and all(number > 100 for number in judged)
