"""Students, where they are enrolled, whom to contact, and the facts kept in compartments."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Id, Mils, Model, to
from models.org import School, one_of

# SQL: a number as it is dialled, however it is written, with or without the country's 1 before ten digits.
PHONE_DIGITS = r"regexp_replace(regexp_replace(phone, '\D', '', 'g'), '^1(?=\d{10}$)', '')"
COMPARTMENTS = ("stls", "health", "counseling", "iep_504", "protected")


class Student(Model):
    """A student as the roster names them; what a school must not ask has no column here, on purpose.

    `same_as`: this is a former id of that student, and what files say of it is read as theirs (models/merges.py).
    `system_id`: what rows of an export call the student that come without the list of students ("StudentID 55").
    """

    __tablename__ = "student"
    __table_args__ = (Index("ix_student_same_as", "same_as", postgresql_where=text("same_as IS NOT NULL")),)
    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    birth_date: Mapped[date | None]
    grade: Mapped[str] = mapped_column(default="")
    homeroom: Mapped[str] = mapped_column(default="")
    bus_route: Mapped[str] = mapped_column(default="")
    household_key: Mapped[str] = mapped_column(default="", index=True)
    home_language: Mapped[str] = mapped_column(default="")
    interpreter: Mapped[bool] = mapped_column(default=False)
    race_ethnicity: Mapped[str] = mapped_column(default="")
    english_learner: Mapped[bool | None]
    low_income: Mapped[bool | None]
    system_id: Mapped[str] = mapped_column(default="", server_default="")
    same_as: Mapped[int | None] = mapped_column(ForeignKey("student.id"))
    batch_id: Mapped[int | None]
    line: Mapped[int | None]
    stints: Mapped[list[Stint]] = relationship(back_populates="student", order_by="Stint.entry_date")

    @property
    def name(self) -> str:
        """First and last name as the family gave them."""
        return f"{self.first_name} {self.last_name}".strip()


class SupportFlag(Model):
    """A restricted fact about a student (STLS, IEP, 504): its own table so that no list can leak it."""

    __tablename__ = "support_flag"
    __table_args__ = (one_of("compartment", COMPARTMENTS),)
    student_id: Mapped[int] = to("student.id", primary_key=True, index=False)
    key: Mapped[str] = mapped_column(primary_key=True)
    compartment: Mapped[str]
    batch_id: Mapped[int | None]
    line: Mapped[int | None]


class Stint(Model):
    """One enrolment, entry to last day, both inclusive (an exclusive source is converted on loading).

    `former_id`: the student's former id under which a file named it; 0 where it came under their own.
    """

    __tablename__ = "stint"
    __table_args__ = (
        UniqueConstraint("student_id", "school_id", "entry_date", "former_id"),
        Index("ix_stint_school_id_entry_date", "school_id", "entry_date"),
    )
    id: Mapped[Id]
    student_id: Mapped[int] = to("student.id")
    school_id: Mapped[int] = to("school.id", index=False)
    entry_date: Mapped[date]
    exit_date: Mapped[date | None]
    exit_code: Mapped[str] = mapped_column(default="")
    grade: Mapped[str] = mapped_column(default="")
    calendar_key: Mapped[str] = mapped_column(default="")
    is_primary: Mapped[bool | None]
    former_id: Mapped[int] = mapped_column(server_default=text("0"), default=0)
    batch_id: Mapped[int | None]
    line: Mapped[int | None]
    student: Mapped[Student] = relationship(back_populates="stints")
    school: Mapped[School] = relationship()


class Contact(Model):
    """A person to reach about a student, with the limits a custody order sets on mail and pick-up."""

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("student_id", "name", "relation"),
        Index("ix_contact_digits", text(PHONE_DIGITS), postgresql_where=text("phone <> ''")),
        Index("ix_contact_address", text("lower(address)"), postgresql_where=text("address <> ''")),
    )
    id: Mapped[Id]
    student_id: Mapped[int] = to("student.id", index=False)
    name: Mapped[str]
    relation: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    may_receive_mail: Mapped[bool | None]
    may_pick_up: Mapped[bool | None]
    batch_id: Mapped[int | None]
    line: Mapped[int | None]


class PriorYear(Model):
    """Last year's totals of a student, for rule R06; days in mils."""

    __tablename__ = "prior_year"
    student_id: Mapped[int] = to("student.id", primary_key=True, index=False)
    school_year: Mapped[str] = mapped_column(primary_key=True)
    enrolled: Mapped[Mils]
    absent: Mapped[Mils]
    unexcused: Mapped[int | None]
    batch_id: Mapped[int | None]
    line: Mapped[int | None]
