"""Is anything lost or late? One list of checks for the health page and for `ew doctor`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import psycopg
import redis
from flask import current_app
from sqlalchemy import make_url
from sqlalchemy.exc import InterfaceError, OperationalError

from ew_app.kernel import DomainError, day_text, local, now, settings, today, wall_clock
from ew_app.services.deciding.everybody import Progress, Stage
from ew_app.services.system import mail_health, risk_health, source_health, upkeep
from models.base import db
from models.queries import health as rows
from models.queries import late_days, pulls
from rules.access import Area
from rules.counting import are, many
from rules.stints import school_year_start

DatabaseAway = OperationalError

WORKER_SILENT = timedelta(seconds=60)  # it shows itself every 10 s
SCHEDULE_SILENT = timedelta(minutes=12)  # every minute
WAITS_LONG = timedelta(minutes=5)
DISK_LOW = 10  # percent free
BACKUP_OLD = timedelta(days=2)
READY_SECONDS = 1.8


class State(StrEnum):
    OK = "ok"
    LATE = "late"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: how it stands, and what mends it."""

    name: str
    state: State
    sentence: str
    mend: str = ""


def ready() -> bool:
    """Database, broker and worker all answer now; takes two seconds at most."""
    asked = ThreadPoolExecutor(max_workers=2)
    urls = settings()
    answers = [asked.submit(_broker_answers, urls.redis_url), asked.submit(_worker_seen, urls.database_url)]
    wait(answers, timeout=READY_SECONDS)
    asked.shutdown(wait=False, cancel_futures=True)
    return all(answer.done() and answer.exception() is None and answer.result() for answer in answers)


def _broker_answers(url: str | None) -> bool:
    if not url:
        return False
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=0.5) as broker:
            return bool(broker.ping())
    except redis.RedisError:
        return False


def _worker_seen(url: str | None) -> bool:
    """Asked on a connection of its own: a full pool or a hanging query must not hold up the answer."""
    with psycopg.connect(url or "", connect_timeout=2, options="-c statement_timeout=700") as line:
        row = line.execute("SELECT at FROM beat WHERE part = 'worker'").fetchone()
    return row is not None and now() - row[0] < WORKER_SILENT


def updates_late() -> str:
    """A sentence for every page when background work has stopped; nothing while it runs or has not begun."""
    seen = rows.beat("worker")
    if seen is None or now() - seen < WORKER_SILENT * 3:
        return ""
    return f"Updates are late: nothing was worked out since {_clock(seen)}. What you enter is kept."


def checks() -> list[Check]:
    """Every check, in the order in which to mend things. Without a database there is one."""
    database = _checked("Database", _database)
    if database.state is State.DOWN:
        return [database, _checked("Broker", _broker)]
    names: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("Broker", _broker),
        ("Worker", _worker),
        ("Schedule", _schedule),
        ("Waiting work", _outbox),
        ("Set aside", _set_aside),
        ("Tiers", _deciding),
        ("Nightly run", _nightly),
        ("Policy", _policy),
        ("Feeds", _feeds),
        ("Sources", _sources),
        ("E-mail", _mail),
        ("Risk model", _risk),
        ("Disk", _disk),
        ("Backup", _backup),
    )
    return [database, *(_checked(name, check) for name, check in names)]


def _checked(name: str, check: Callable[[], Check]) -> Check:
    """A check that cannot be made is itself the finding."""
    try:
        return check()
    except (OperationalError, InterfaceError, OSError, redis.RedisError) as error:
        db.session.rollback()
        return Check(name, State.DOWN, f"It does not answer ({type(error).__name__}).", _MEND[name])


_MEND = {
    "Database": "Start PostgreSQL, or correct EW_DATABASE_URL; `ew config` shows where it was looked for.",
    "Broker": "Start Redis or Valkey, or correct EW_REDIS_URL. Nothing is lost: work waits in the database.",
    "Worker": "Start the worker: `ew worker`, or `ew up` for everything.",
    "Schedule": "Start the schedule: `ew beat`, or `ew up` for everything.",
    "Waiting work": "Look at worker and broker first; work is sent again by itself.",
    "Set aside": "Read the reasons below; all else went on. A file is mended by sending it anew, most work by itself.",
    "Tiers": "Start the worker: `ew worker`, or `ew up` for everything.",
    "Nightly run": "It starts by itself once worker and schedule run; `ew evaluate` does it now.",
    "Policy": "Look at `ew policy show`, and put one in force with `ew policy activate`.",
    "Feeds": "Ask the school what keeps it. `ew late` and the page of missing days tell who was asked, and since when.",
    "Sources": "Open Import, Sources: each says what its last look found.",
    "E-mail": "Look at EW_SMTP_URL and the mail server. What e-mails tell stands under News in any case.",
    "Risk model": "Read `ew risk report`. Until it is mended lists are ordered by the rules alone.",
    "Disk": "Make room on the disk of EW_DATA_DIR. Below a tenth, files sent in are refused.",
    "Backup": "Run `ew backup DIR` every night, unless your PostgreSQL is backed up in another way.",
}


def _database() -> Check:
    try:
        upkeep.check_tables()
    except DomainError as refusal:
        return Check("Database", State.DOWN, str(refusal), "Run `ew db upgrade`.")
    where = make_url(str(current_app.config["SQLALCHEMY_DATABASE_URI"]))
    return Check("Database", State.OK, f"It answers and has this version's tables ({where.host}).")


def _broker() -> Check:
    if _broker_answers(settings().redis_url):
        return Check("Broker", State.OK, "It answers.")
    return Check("Broker", State.DOWN, "It does not answer.", _MEND["Broker"])


def _worker() -> Check:
    seen = [at for at in (rows.beat("worker"), rows.outbox().last_claim) if at]
    return _alive("Worker", max(seen, default=None), WORKER_SILENT)


def _schedule() -> Check:
    check = _alive("Schedule", rows.beat("schedule"), SCHEDULE_SILENT)
    sentence = rows.trouble() if check.state is State.OK else ""
    return Check("Schedule", State.LATE, f"Not all of it worked: {sentence}", _MEND["Set aside"]) if sentence else check


def _alive(name: str, seen: datetime | None, silent: timedelta) -> Check:
    if seen is None:
        return Check(name, State.DOWN, "It has never shown a sign of life.", _MEND[name])
    if now() - seen > silent:
        return Check(name, State.DOWN, f"No sign of life since {_clock(seen)}.", _MEND[name])
    return Check(name, State.OK, f"Last sign of life {_clock(seen)}.")


def _outbox() -> Check:
    work = rows.outbox()
    if work.oldest is None:
        return Check("Waiting work", State.OK, "Nothing waits.")
    late = now() - work.oldest > WAITS_LONG
    pieces = f"{many(work.waiting, 'piece')} {are(work.waiting, 'waits', 'wait')}"
    sentence = f"{pieces}, the oldest since {_clock(work.oldest)}."
    return Check("Waiting work", State.LATE if late else State.OK, sentence, _MEND["Waiting work"] if late else "")


def _set_aside() -> Check:
    number = rows.outbox().set_aside
    if not number:
        return Check("Set aside", State.OK, "No work was set aside.")
    return Check("Set aside", State.LATE, f"{number} set aside for a person to look at.", _MEND["Set aside"])


def _nightly() -> Check:
    run = rows.last_run("nightly")
    if run is None:
        return Check("Nightly run", State.OK, "It has not been due yet.")
    late = local(now()).date() - run.local_date > timedelta(days=1)
    state, night, found = State.LATE if late else State.OK, day_text(run.local_date), Progress.of(run)
    if found is None:
        sentence = f"Last for {night}."
    elif found.stage is Stage.DONE:
        sentence = f"Last for {night}: {_found(found)}"
    else:
        of = f" {found.looked:,} of {many(found.students, 'student')} looked at." if found.students else ""
        sentence = f"Under way for {night}.{of}"
    return Check("Nightly run", state, sentence, _MEND["Nightly run"] if late else "")


def _found(night: Progress) -> str:
    """What a night that is through has found different from the rows of the year, and put right."""
    looked = f"{many(night.looked, 'student')} decided about again from the first day"
    other = [
        f"{many(night.different, 'student')} stood differently" if night.different else "",
        f"the counts of {many(night.miscounted, 'school')} did not fit" if night.miscounted else "",
    ]
    told = ", and ".join(part for part in other if part)
    return f"{looked}; {told}. That was put right." if told else f"{looked}, and nothing stood differently."


def _deciding() -> Check:
    """Whether somebody waits to be decided about; that it lasts is told by the work that waits."""
    waiting = rows.deciding()
    if not waiting:
        return Check("Tiers", State.OK, "Everybody is decided about.")
    at_most = f"At most {many(waiting, 'student')} {are(waiting, 'waits', 'wait')} to be decided about."
    return Check("Tiers", State.OK, at_most)


def _policy() -> Check:
    """Read from the table alone: looking must not put the first policy in force."""
    version = rows.policy_in_force(today())
    if version is None:
        return Check("Policy", State.OK, f"None yet; the first evaluation starts with {settings().policy}.")
    since = f"{version.starts:%a} {version.starts.day} {version.starts:%b %Y}"
    return Check("Policy", State.OK, f"{version.name} holds since {since} ({version.version[:8]}).")


def late_schools() -> list[rows.LateSchool]:
    """Schools that lack school days of this school year that are due, the longest wait first."""
    return rows.late_schools(school_year_start(today()), today(), wall_clock())


def _feeds() -> Check:
    schools, late = rows.school_count(), late_schools()
    if not schools:
        return Check("Feeds", State.OK, "No school is known yet.")
    if not late:
        return Check("Feeds", State.OK, f"No school day of this school year is missing from {schools} schools.")
    lacks = f"{late[0].name} lacks {many(late[0].days, 'school day')}"
    sentence = f"{len(late)} of {schools} schools {are(len(late))} late; {lacks}. {_asked()}"
    return Check("Feeds", State.LATE, sentence.strip(), _MEND["Feeds"])


def _asked() -> str:
    """How many days schools were asked for, and how many of them went up."""
    asked, raised = (late_days.open_count(Area(district=True), raised=up) for up in (False, True))
    went_up = f", {raised} of them passed up to whoever keeps the feeds" if raised else ""
    return f"Schools were asked for {many(asked, 'day')}{went_up}." if asked else ""


def _sources() -> Check:
    if not pulls.fetched_from():
        return Check("Sources", State.OK, "Nothing is fetched by itself.")
    if not (found := source_health.troubles()):
        return Check("Sources", State.OK, "Everything that is expected has come.")
    more = f" And {len(found) - 1} more." if len(found) > 1 else ""
    return Check("Sources", State.LATE, found[0] + more, _MEND["Sources"])


def _risk() -> Check:
    sentence, late = risk_health.told()
    return Check("Risk model", State.LATE if late else State.OK, sentence, _MEND["Risk model"] if late else "")


def _mail() -> Check:
    sentence = mail_health.trouble()
    if sentence:
        return Check("E-mail", State.LATE, sentence, _MEND["E-mail"])
    return Check("E-mail", State.OK, mail_health.in_order())


def _disk() -> Check:
    space = shutil.disk_usage(settings().folder("uploads"))
    free = space.free * 100 // space.total
    state = State.LATE if free < DISK_LOW else State.OK
    return Check("Disk", state, f"{free}% is free.", _MEND["Disk"] if state is State.LATE else "")


def _backup() -> Check:
    last = rows.last_backup()
    if last is None:
        if not rows.school_count():
            return Check("Backup", State.OK, "There is nothing to save yet.")
        return Check("Backup", State.LATE, "`ew backup` has never been run.", _MEND["Backup"])
    late = now() - last > BACKUP_OLD
    return Check("Backup", State.LATE if late else State.OK, f"Last {_clock(last)}.", _MEND["Backup"] if late else "")


def _clock(at: datetime) -> str:
    here = local(at)
    return f"{here:%H:%M}" if here.date() == local(now()).date() else f"{day_text(here.date())} {here:%H:%M}"
