"""What people may be called: public handles, kept in lower case."""

from typing import Final

USERNAME: Final = "[A-Za-z0-9._-]{3,32}"
"""As it may be written."""

USERNAME_RULE: Final = "Must have 3 to 32 letters, digits, dots, hyphens and underscores."
