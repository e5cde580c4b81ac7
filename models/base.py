"""The one SQLAlchemy metadata, its naming rules and the column types used everywhere.

Units: every number of days is an integer in thousandths of a school day ("mils").
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Date, DateTime, ForeignKey, Identity, Integer, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column, registry

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Id = Annotated[int, mapped_column(Integer, Identity(), primary_key=True)]
BigId = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Mils = Annotated[int, mapped_column(Integer)]


def to(target: str, **options: Any) -> Any:
    """A required foreign key with an index, unless `index=False` is given."""
    options.setdefault("index", True)
    return mapped_column(ForeignKey(target), **options)


class Base(DeclarativeBase):
    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={
            str: Text,
            date: Date,
            datetime: DateTime(timezone=True),
            dict[str, Any]: JSONB,
        },
    )


db = SQLAlchemy(model_class=Base)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model  # what Flask-SQLAlchemy makes of Base; the two are alike to everyone who reads a table
