"""Invented staff: one of each role at each school, some shared by several schools, and a login one can remember."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from ew_app.demo.district import School
from ew_app.demo.names import COMMUNITIES

COLUMNS = ("login", "name", "role", "place", "from", "to", "homeroom", "deputy", "hours", "department", "email")
HOURS = {  # a week for this work, over all schools of somebody who is shared
    "attendance_clerk": 40,
    "homeroom_teacher": 2,
    "counselor": 30,
    "social_worker": 32,
    "nurse": 36,
    "stls_liaison": 10,
    "protected_reasons_person": 4,
    "case_manager": 20,
    "principal": 10,
    "network_lead": 20,
    "network_reengagement_contact": 30,
    "department_contact": 5,
}
DEPARTMENTS = {
    "counseling": "School Counseling and Postsecondary Advising",
    "related": "Related Service Providers",
    "health": "Health and Wellness",
    "sel": "Social and Emotional Learning",
    "stls": "Students in Temporary Living Situations",
    "transport": "Transportation",
    "safety": "Safety and Security",
    "face": "Family and Community Engagement",
    "teaching": "Teaching and Learning",
    "legal": "Legal",
    "policy": "Policy and Procedures",
    "networks": "Networks",
    "its": "Information Technology Services",
    "accountability": "Accountability",
    "procurement": "Procurement",
}
_AT_EACH_SCHOOL = (
    ("clerk", "attendance_clerk", "principal"),
    ("principal", "principal", ""),
    ("counselor", "counselor", "principal"),
    ("stls", "stls_liaison", "counselor"),
    ("protected", "protected_reasons_person", "principal"),
    ("casemanager", "case_manager", "counselor"),
)
_AT_THE_DISTRICT = (
    ("analyst", "district_analyst"),
    ("admin", "system_admin"),
    ("steward", "data_steward"),
    ("policy", "policy_editor"),
    ("records", "records_custodian"),
    ("support", "student_support_lead"),
)

Row = tuple[str, ...]


def people_rows(schools: Sequence[School], since: date) -> list[Row]:
    """Rows of people.csv, the first school's people first."""
    names = _names()
    shared = list(_shared(schools, since, "sw", "social_worker", 2, names))
    shared += _shared(schools, since, "nurse", "nurse", 3, names)
    rows = [row for school in schools for row in _school_staff(school, names, since)] + shared
    networks = dict.fromkeys((school.network, school.network_name) for school in schools)
    for key, title in networks:
        short = title.removesuffix(" Network").lower().replace(" ", "")
        rows.append(_row(f"network.{short}", next(names), "network_lead", f"network:{key}", since))
        rows.append(_row(f"reengage.{short}", next(names), "network_reengagement_contact", f"network:{key}", since))
    rows += [_row(login, next(names), role, "district", since) for login, role in _AT_THE_DISTRICT]
    rows += [
        _row(f"dept.{short}", next(names), "department_contact", "district", since, department=title)
        for short, title in DEPARTMENTS.items()
    ]
    return rows


def one_login_per_role(rows: Sequence[Row]) -> dict[str, str]:
    """Role -> the first login that holds it: what a demo offers on its first page."""
    logins: dict[str, str] = {}
    for login, _, role, *_ in rows:
        logins.setdefault(role, login)
    return logins


def _school_staff(school: School, names: Iterator[str], since: date) -> Iterator[Row]:
    place = f"school:{school.key}"
    for prefix, role, deputy in _AT_EACH_SCHOOL:
        stand_in = f"{deputy}.{school.short}" if deputy else ""
        yield _row(f"{prefix}.{school.short}", next(names), role, place, since, deputy=stand_in)
    for number, room in enumerate(_rooms(school), start=1):
        yield _row(f"teacher{number}.{school.short}", next(names), "homeroom_teacher", place, since, homeroom=room)


def _rooms(school: School) -> tuple[str, ...]:
    first = {"elementary": "K", "k-8": "K", "middle": "6", "high": "9"}[school.level]
    second = {"elementary": "3", "k-8": "5", "middle": "7", "high": "10"}[school.level]
    return f"{first}-1", f"{second}-1"


def _shared(
    schools: Sequence[School], since: date, prefix: str, role: str, size: int, names: Iterator[str]
) -> Iterator[Row]:
    """One person for `size` schools of a network, one row a school, each with its share of the hours."""
    taken: set[str] = set()
    for network in dict.fromkeys(school.network for school in schools):
        inside = [school for school in schools if school.network == network]
        for at in range(0, len(inside), size):
            name = next(names)
            login = _free(f"{prefix}.{name.split()[-1].lower()}", taken)
            theirs = inside[at : at + size]
            for school in theirs:
                yield _row(login, name, role, f"school:{school.key}", since, share=len(theirs))


def _free(login: str, taken: set[str]) -> str:
    number = 1
    free = login
    while free in taken:
        number += 1
        free = f"{login}{number}"
    taken.add(free)
    return free


def _names() -> Iterator[str]:
    """First and last names in a fixed order that mixes communities; long before it repeats a full name."""
    first = [name for group in zip(*(c.first[:6] for c in COMMUNITIES), strict=True) for name in group]
    last = [name for group in zip(*(c.last[:5] for c in COMMUNITIES), strict=True) for name in group]
    at = 0
    while True:
        yield f"{first[at * 5 % len(first)]} {last[(1 + at * 11 + at // len(last)) % len(last)]}"
        at += 1


def _row(
    login: str,
    name: str,
    role: str,
    place: str,
    since: date,
    *,
    homeroom: str = "",
    deputy: str = "",
    share: int = 1,
    department: str = "",
) -> Row:
    hours = str(HOURS[role] // share) if role in HOURS else ""
    return (login, name, role, place, since.isoformat(), "", homeroom, deputy, hours, department, address(login))


def address(login: str) -> str:
    """Where the digest of somebody invented would go: to a domain that is kept free for examples."""
    return f"{login}@example.org"
