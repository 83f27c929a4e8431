"""How often any hook has changed."""

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base


class WebhookChanges(Base):
    """One row. A trigger of `webhooks` raises `version`, by which workers know that what they remember is of before."""

    __tablename__ = "webhook_changes"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[Amount] = mapped_column(server_default=text("0"))
