"""The declarative base: one naming convention for constraints, and the column types that all tables share."""

from datetime import datetime
from typing import Annotated

from sqlalchemy import NUMERIC, BigInteger, DateTime, Identity, MetaData, Text, func
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Id = Annotated[int, mapped_column(BigInteger, Identity(always=False), primary_key=True)]
"""A surrogate key. Identity values commit out of order: nothing may read `id > cursor` as "what is new"."""

Amount = Annotated[int, mapped_column(BigInteger)]
"""Cents or shares."""

Total = Annotated[int, mapped_column(NUMERIC(40, 0))]
"""Cents, added up over any number of trades: a whole number that 64 bits need not hold."""

Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
"""A moment in UTC, to the microsecond."""

CreatedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())]
"""When the row was written, by the database's clock."""


class Base(DeclarativeBase):
    """What all tables derive from."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {str: Text}  # noqa: RUF012 - SQLAlchemy's own declaration
