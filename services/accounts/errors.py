"""What is refused about accounts. As in `services.errors`, the class is the code, its docstring the message."""

from services.errors import Invalid


class ReferenceReused(Invalid):
    """This reference was already used for another deposit or withdrawal."""
