"""Who does what only one process may do."""

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant


class Lease(Base):
    """A role held by one process until `expires_at`; whoever finds it expired may take it."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    expires_at: Mapped[Instant]
