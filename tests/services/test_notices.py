"""What staff are told: only what they may still see, once, and by e-mail without a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from typing import Any

import pytest
from flask import current_app

from ew_app.config import Settings
from ew_app.kernel import Conflict, NotFound, Refused, told_as_of, transaction
from ew_app.outbox import Job, done_here
from ew_app.services.casework import answering, handfuls, handing_over, moves, rising
from ew_app.services.casework.handing_over import Wanted
from ew_app.services.notices import choosing, digests, mails, news, post
from ew_app.services.notices.choosing import Choice
from ew_app.services.people.telling import tell
from ew_app.services.system import mail_health
from models.base import db
from models.cases import Task
from models.staff import Grant, Person
from tests.opened import on, statements
from tests.services import world as district
from tests.services.mail_server import PASSWORD, USER, Box, mail_server
from tests.services.one_case import flag_ana, follow, the_case
from tests.services.world import TODAY, World, rows

MORNING = datetime(2026, 11, 16, 13, 5, tzinfo=UTC)  # five past seven in Chicago, a Monday
WORK = {Job.SEND_MAIL: mails.send}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    folder = tmp_path_factory.mktemp("mail")
    with pytest.MonkeyPatch.context() as trusting, mail_server(folder) as box:
        trusting.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
        yield box


@pytest.fixture
def world(settings: Settings, built_once: Callable[..., World], box: Box) -> Iterator[World]:
    """The district with a mail server; Ana has a case, and Cora, who owns it, an address."""
    box.letters, box.secure, box.answer, box.hangs_up = [], [], "250 OK", False
    url = f"smtp://{USER}:{PASSWORD.replace(' ', '%20')}@localhost:{box.port}"
    settings = replace(settings, today=TODAY, smtp_url=url, mail_from="Early Warning <ew@district.example>")
    made = built_once(replace(settings, smtp_url=None, mail_from=None), district.build)
    with on(settings):
        flag_ana(made)
        with transaction():
            db.session.execute(db.text("DELETE FROM notice"))
            db.session.get_one(Person, made.people["cora"]).email = "cora@district.example"
        yield made


def tells(*people: int, kind: str = "case_given", once: str = "one", **about: int) -> int:
    with transaction():
        return tell(kind, people, once=once, **(about or {"case_id": case_id()}))


def case_id() -> int:
    (number,) = the_case("id")
    return int(str(number))


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with told_as_of(moment), done_here(WORK):
        yield


def states() -> list[tuple[Any, ...]]:
    return rows("SELECT status, tries FROM mail ORDER BY id")


def text_of(letter: Message) -> str:
    return f"{letter['Subject']}\n{letter.get_payload(decode=True).decode()}"  # type: ignore[union-attr]


# -- in the application --------------------------------------------------------------------------------------


def test_somebody_is_told_once_and_never_of_what_they_did_themselves(world: World) -> None:
    cora = world.actor("cora")
    assert tells(world.people["cora"]) == 1
    assert tells(world.people["cora"]) == 0, "the same occasion"
    with transaction():
        assert tell("case_given", [cora.person_id, None], once="two", by=cora, case_id=case_id()) == 0
    (one,) = news.read(cora)
    assert (one.sentence, one.student, one.case, one.read) == ("Case 1001 is yours now.", "Ana Rivera", 1001, False)
    assert news.unread_count(cora) == 1
    news.mark_read(cora, one=one.id)
    assert news.unread_count(cora) == 0 and news.read(cora)[0].read
    with pytest.raises(NotFound):
        news.mark_read(world.actor("wanda"), one=one.id)


def test_a_notice_goes_when_its_reader_may_no_longer_see_what_it_is_about(world: World) -> None:
    tells(world.people["cora"], world.people["dora"])
    assert news.unread_count(world.actor("cora")) == 1
    assert news.read(world.actor("dora")) == [], "a case of another school"
    moves.assign(1001, by=world.actor("paul"), to=world.people["paul"])
    assert (news.unread_count(world.actor("cora")), news.read(world.actor("cora"))) == (0, [])


def test_a_notice_about_a_school_stands_for_those_who_see_its_counts(world: World) -> None:
    people = (world.people["zoe"], world.people["dora"], world.people["tara"])
    tells(*people, kind="risen", school_id=world.schools["LIN"], count=1)
    assert [one.sentence for one in news.read(world.actor("zoe"))] == [
        "At Lincoln a piece of work waits for you to step in: nobody has it, or it waits too long."
    ]
    assert news.read(world.actor("dora")) == [] and news.read(world.actor("tara")) == []


def test_what_is_told_names_what_it_is_about(world: World) -> None:
    with transaction(), pytest.raises(ValueError, match="about one task"):
        tell("task_given", [world.people["cora"]], once="x", case_id=case_id())
    with transaction(), pytest.raises(KeyError, match="There is no notice"):
        tell("gossip", [world.people["cora"]], once="x")


# -- of what ------------------------------------------------------------------------------------------------


def told(world: World, login: str) -> list[str]:
    """What somebody has not read yet, the newest first."""
    return [one.sentence for one in news.read(world.actor(login), unread=True)]


def nurse_is_asked(world: World) -> int:
    wanted = Wanted(to=f"{world.people['nia']}:nurse", asked="Please ask about the mornings")
    return handing_over.refer(1001, wanted, by=world.actor("cora")).id


def test_both_sides_of_a_hand_over_are_told_and_it_leads_there(world: World) -> None:
    number = nurse_is_asked(world)
    (asked,) = news.read(world.actor("nia"))
    assert (asked.sentence, asked.hand_over, asked.over) == ("You are asked to help with case 1001.", number, False)
    assert told(world, "cora") == []
    answering.accept(number, by=world.actor("nia"))
    assert news.read(world.actor("nia"))[0].over, "it is answered"
    assert told(world, "cora") == ["What you asked for case 1001 was taken on."]
    answering.finish(number, by=world.actor("nia"), report="Settled with the family.")
    assert told(world, "cora")[0] == "Help with case 1001 is done, and there is a report."


@pytest.mark.parametrize(
    ("act", "who", "sentence"),
    [
        (lambda w, n: answering.decline(n, by=w.actor("nia"), why="Away all week."), "cora",
         "What you asked for case 1001 was declined. The reason stands there."),
        (lambda w, n: answering.take_back(n, by=w.actor("cora")), "nia", "You are asked for case 1001 no longer."),
    ],
    ids=["declined", "revoked"],
)  # fmt: skip
def test_no_and_never_mind_are_told(world: World, act: Callable[..., object], who: str, sentence: str) -> None:
    act(world, nurse_is_asked(world))
    assert told(world, who)[0] == sentence
    assert told(world, "dora") == []


def test_a_transfer_tells_each_side_once(world: World) -> None:
    wanted = Wanted(to=f"{world.people['wanda']}:social_worker", asked="It needs visits")
    number = handing_over.transfer(1001, wanted, by=world.actor("cora")).id
    assert told(world, "wanda") == ["You are asked to take on case 1001."]
    answering.accept(number, by=world.actor("wanda"))
    assert told(world, "cora") == ["What you asked for case 1001 was taken on."]
    moves.assign(1001, by=world.actor("paul"), to=world.people["cora"])
    assert told(world, "wanda")[0] == "Case 1001 has another owner now."
    assert told(world, "cora")[0] == "Case 1001 is yours now."


def test_all_who_hold_a_role_are_asked_and_the_first_yes_ends_it_for_the_others(world: World) -> None:
    world.give("noor", "Noor Haddad", "nurse", "school:LIN")
    number = handing_over.refer(1001, Wanted(to="0:nurse", asked="Please ask"), by=world.actor("cora")).id
    assert told(world, "nia") == told(world, "noor") == ["You are asked to help with case 1001."]
    answering.accept(number, by=world.actor("noor"))
    assert told(world, "nia") == []


def test_the_second_who_answers_reads_who_was_first(world: World) -> None:
    lou = world.give("lou", "Lou Diaz", "stls_liaison", "school:LIN")
    number = handing_over.refer(1001, Wanted(to="0:stls_liaison", asked="Find a ride"), by=world.actor("cora")).id
    with at(MORNING):
        answering.accept(number, by=world.actor("lea"))
    for act in (answering.accept, lambda one, by: answering.decline(one, by=by, why="No time")):
        with pytest.raises(Conflict, match="Lea Fox answered this on Mon 16 Nov at 07:05 and said yes"):
            act(number, by=world.actor("lou"))
    with pytest.raises(NotFound):
        answering.accept(number, by=world.actor("nia"))
    assert lou


def test_somebody_at_many_schools_is_asked_about_by_role_and_not_by_grant(world: World) -> None:
    def conditions() -> int:
        with statements(current_app._get_current_object()) as sent:
            news.read(world.actor("wanda"))
        return sum(one.count("owner_role =") + one.count("to_role =") for one in sent)

    few = conditions()
    with transaction():
        for school in ("LIN", "DOU", "ROS"):
            place = f"school:{school}"
            db.session.add(Grant(person_id=world.people["wanda"], role="social_worker", place=place, starts=TODAY))
    assert conditions() == few > 0


def test_cases_that_open_by_themselves_are_one_notice_a_day_with_their_number(world: World) -> None:
    for name in ("ben", "cal"):
        world.add_student(name) if name not in world.students else None
        world.stands(name, 2)
        world.finds(name, "R07")
        follow(world, name)
    assert told(world, "cora") == ["2 cases came to your caseload by themselves on Mon 16 Nov."]
    news.mark_read(world.actor("cora"))
    world.add_student("kit")
    world.stands("kit", 2)
    world.finds("kit", "R07")
    follow(world, "kit")
    assert told(world, "cora") == ["3 cases came to your caseload by themselves on Mon 16 Nov."], "new again"
    assert len(news.read(world.actor("cora"))) == 1


def test_a_handful_is_one_notice_and_taken_back_it_is_none(world: World) -> None:
    kept = handfuls.give([1001], to=world.people["wanda"], by=world.actor("paul"))
    assert told(world, "wanda") == ["A case was given to you."]
    handfuls.take_back(kept.id, by=world.actor("paul"))
    assert told(world, "wanda") == []


def test_risen_work_is_told_in_counts_to_the_principal_then_the_network(world: World, settings: Settings) -> None:
    with transaction():
        db.session.execute(db.text("UPDATE support_case SET owner_id = NULL"))
    rising.rise()
    waits = "At Lincoln a piece of work waits for you to step in: nobody has it, or it waits too long."
    assert told(world, "paul")[0] == waits and told(world, "zoe") == []
    rising.rise()
    assert told(world, "paul").count(waits) == 1
    with on(replace(settings, today=TODAY + timedelta(days=1))):
        rising.rise()
        above = "A piece of work at your schools has waited so long that you are asked to help."
        assert above in told(world, "zoe") and above not in told(world, "paul")
        assert told(world, "otto") == [] and told(world, "dora") == []


def test_an_answer_that_is_owed_is_reminded_of_once(world: World, settings: Settings) -> None:
    number = nurse_is_asked(world)
    with on(replace(settings, today=TODAY + timedelta(days=2))):
        rising.rise()
        rising.rise()
        assert told(world, "nia") == [
            "Case 1001 has waited 2 school days for you.", "You are asked to help with case 1001.",
        ]  # fmt: skip
        answering.accept(number, by=world.actor("nia"))
        assert all(one.over for one in news.read(world.actor("nia")))


@pytest.mark.parametrize("compartment", [None, "health"])
def test_risen_work_in_a_compartment_is_in_no_count(world: World, compartment: str | None) -> None:
    with transaction():
        db.session.add(
            Task(student_id=world.students["ana"], school_id=world.schools["LIN"], kind="support", period="p",
                 title="Ask about the inhaler", compartment=compartment, department="x", owner_role="counselor",
                 due=TODAY, created_at=MORNING)
        )  # fmt: skip
    rising.rise()
    assert len(told(world, "paul")) == (compartment is None)


# -- by e-mail -----------------------------------------------------------------------------------------------


def test_a_digest_tells_numbers_and_no_name_once_over_a_safe_line(world: World, box: Box) -> None:
    tells(world.people["cora"])
    with at(MORNING):
        assert digests.ask_for_due() == 1
        assert digests.ask_for_due() == 0, "asked once a day"
    (letter,) = box.letters
    said = text_of(letter)
    assert "Case 1001 is yours now." in said and "/news" in said
    assert not any(word in said for word in ("Ana", "Rivera", "Cora", "Bell", "Lincoln", "Tier"))
    assert letter["To"] == "cora@district.example" and box.secure == [True]
    assert states() == [("sent", 1)]
    mails.send(rows("SELECT id FROM mail")[0][0])
    assert len(box.letters) == 1, "a job that is delivered twice sends once"
    with at(MORNING + timedelta(days=3)):
        digests.ask_for_due()
    assert "New for you" not in text_of(box.letters[1]), "told once"
    assert "1 case is due: 1001" in text_of(box.letters[1]), "what is due is said on its day"


@pytest.mark.parametrize("compartment", [None, "health"])
def test_a_task_in_a_compartment_gives_the_same_e_mail(world: World, box: Box, compartment: str | None) -> None:
    with transaction():
        task = Task(
            student_id=world.students["ana"], school_id=world.schools["LIN"], kind="support", period="p",
            title="Ask about the inhaler", compartment=compartment, department="x", owner_role="counselor",
            owner_id=world.people["cora"], due=TODAY, created_at=MORNING,
        )  # fmt: skip
        db.session.add(task)
        db.session.flush()
        tell("task_given", [world.people["cora"]], once="t", task_id=task.id)
    with at(MORNING):
        digests.ask_for_due()
    said = text_of(box.letters[0])
    assert "A task was given to you." in said and "1 task is due" in said and "inhaler" not in said


QUIET = (
    ("before seven", MORNING - timedelta(minutes=10), Choice()),
    ("in the evening", MORNING + timedelta(hours=12), Choice()),
    ("on a Sunday", MORNING - timedelta(days=1), Choice()),
    ("never wanted", MORNING, Choice(how_often="never")),
    ("wanted on Tuesdays", MORNING, Choice(how_often="weekly", weekday=1)),
    ("wanted from nine on", MORNING, Choice(hour=9)),
    ("nothing but what is left out", MORNING, Choice(left_out=("given",))),
)


def test_nothing_comes_at_quiet_times_or_is_not_wanted(world: World, box: Box) -> None:
    with transaction():
        db.session.execute(db.text("UPDATE support_case SET due = NULL"))
        db.session.execute(db.text("UPDATE task SET due = NULL"))
    tells(world.people["cora"])
    for words, moment, chosen in QUIET:
        choosing.choose(replace(chosen, address="cora@district.example"), by=world.actor("cora"))
        with at(moment):
            digests.ask_for_due()
        assert box.letters == [], words
    with transaction():
        db.session.execute(db.text("DELETE FROM mail"))
    choosing.choose(Choice(address="cora@district.example", how_often="weekly"), by=world.actor("cora"))
    with at(MORNING):
        digests.ask_for_due()
    assert len(box.letters) == 1


def test_an_address_must_be_one(world: World) -> None:
    with pytest.raises(Refused, match="no e-mail address"):
        choosing.choose(Choice(address="cora@x.org\nBcc: all@x.org"), by=world.actor("cora"))


def test_while_the_server_is_away_it_is_tried_again_and_health_says_so(
    world: World, box: Box, settings: Settings
) -> None:
    tells(world.people["cora"])
    box.answer = "451 not now"
    with at(MORNING):
        digests.ask_for_due()
        assert states() == [("waiting", 1)] and mails.try_again() == 0, "not before its pause is over"
        assert "1 e-mail waits since" in mail_health.trouble()
    for minutes in range(1, 121, 12):
        with at(MORNING + timedelta(minutes=minutes)):
            mails.try_again()
    assert box.letters == [] and states()[0][0] == "waiting"
    box.answer = "250 OK"
    with at(MORNING + timedelta(hours=3)):
        mails.try_again()
        mails.try_again()
        assert mail_health.trouble() == ""
    assert len(box.letters) == 1 and states()[0][0] == "sent"


def test_an_address_that_is_refused_is_given_up_and_counted(world: World, box: Box) -> None:
    tells(world.people["cora"])
    box.answer = "550 nobody here"
    with at(MORNING):
        digests.ask_for_due()
        assert mail_health.trouble() == "1 e-mail of the last seven days could not be sent."
    assert states() == [("given_up", 1)] and news.unread_count(world.actor("cora")) == 1


def test_after_a_crash_or_a_lost_answer_no_digest_comes_twice_and_nothing_is_lost(world: World, box: Box) -> None:
    tells(world.people["cora"])
    with told_as_of(MORNING):
        digests.ask_for_due()
        mail_id = rows("SELECT id FROM mail")[0][0]
        ready = mails._begin(mail_id)
        assert ready is not None
        post.hand_over(ready.message, ready.to)  # and here the worker is killed
        mails.send(mail_id)
    assert len(box.letters) == 1 and states() == [("unclear", 1)]
    box.hangs_up = True
    with at(MORNING + timedelta(days=1)):
        digests.ask_for_due()
    assert len(box.letters) == 2 and states()[1:] == [("unclear", 1)]
    assert "Case 1001 is yours now." in text_of(box.letters[1]), "what may not have arrived stands in the next one"


def test_whoever_lost_the_right_meanwhile_is_not_told(world: World, box: Box) -> None:
    tells(world.people["cora"])
    with transaction():
        db.session.execute(db.text("UPDATE support_case SET owner_id = NULL"))
        db.session.execute(db.text("UPDATE task SET owner_id = NULL"))
    with at(MORNING):
        digests.ask_for_due()
    assert box.letters == [] and states() == [("nothing", 0)]


def test_without_encryption_nothing_is_told_to_a_server_elsewhere(world: World) -> None:
    class Plain:
        """A server that offers no encryption."""

        def ehlo(self) -> None: ...
        def has_extn(self, _: str) -> bool:
            return False

    with pytest.raises(post.MailFault, match="offers no encryption"):
        post._encrypt(Plain(), "mail.example.org", None)  # type: ignore[arg-type]
