"""Fields that take exactly what they say: no text for a number, no number for a text, no time without a zone."""

import re
from datetime import UTC, datetime
from typing import Any, Final

from marshmallow import ValidationError, fields, missing

from api.http.strict_json import REPEATED
from services.stocks.symbols import SYMBOL, SYMBOL_RULE, symbol_in

LARGEST: Final = 2**53 - 1
"""The largest whole number that every JSON reader gets right (RFC 8259, section 6)."""

LONGEST_CLIENT_ORDER_ID: Final = 64

RFC3339: Final = re.compile(r"(\d{4})-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9998
"""Years beyond these overflow once a zone is subtracted."""


class Strict(fields.Field[Any]):
    """What all have in common."""

    def deserialize(self, value: Any, attr: Any = None, data: Any = None, **kwargs: Any) -> Any:
        """Refuse what was given more than once, then go on; most fields of most requests are left out."""
        if value is missing and not self.required:
            default = self.load_default
            return default() if callable(default) else default
        if value is REPEATED:
            raise ValidationError("Given more than once.")
        return super().deserialize(value, attr, data, **kwargs)


class Whole(Strict, fields.Integer):
    """A whole number from `least` to `most`, as a JSON number."""

    def __init__(self, least: int = 0, most: int = LARGEST, **options: Any) -> None:
        self.least, self.most = least, most
        super().__init__(
            strict=True, metadata={"minimum": least, "maximum": most, **options.pop("metadata", {})}, **options
        )

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise ValidationError("Must be a whole number.")
        if not self.least <= value <= self.most:
            raise ValidationError(f"Must be from {self.least} to {self.most}.")
        return value


class WholeText(Whole):
    """A whole number in a query string."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if not re.fullmatch(r"-?[0-9]{1,19}", value):
            raise ValidationError("Must be a whole number.")
        return super()._deserialize(int(value), attr, data, **kwargs)


class Text(Strict, fields.String):
    """A printable text of `shortest` to `longest` characters: no control characters, no halves of characters.

    No blanks at its ends either: nobody sees them, and two names that read alike would be two.
    """

    def __init__(self, shortest: int, longest: int, **options: Any) -> None:
        self.shortest, self.longest = shortest, longest
        metadata = {"minLength": shortest, "maxLength": longest, **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if type(value) is not str:
            raise ValidationError("Must be a text.")
        if not self.shortest <= len(value) <= self.longest:
            raise ValidationError(f"Must have {self.shortest} to {self.longest} characters.")
        if not value.isprintable():
            raise ValidationError("Must have printable characters only.")
        if not value.strip():
            raise ValidationError("Must have more than blanks.")
        if value != value.strip():
            raise ValidationError("Must not begin or end with a blank.")
        return value


class Word(fields.String):
    """One of a few words in an answer; `named` is the name that the description gives to what they stand for."""

    def __init__(self, named: str, *words: str, **options: Any) -> None:
        metadata = {"enum": list(words), "named": named, **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)


class Sum(fields.Raw):
    """Cents in an answer, of any number of trades or shares: beyond 2^53 the digits as a string."""

    def __init__(self, *, allow_none: bool = False, **options: Any) -> None:
        types = ["integer", "string", *(["null"] if allow_none else [])]
        super().__init__(metadata={"type": types, **options.pop("metadata", {})}, **options)


class Choice(Strict, fields.String):
    """One of a few words; `named` as for a Word."""

    def __init__(self, *choices: str, named: str, **options: Any) -> None:
        self.choices = choices
        metadata = {"enum": list(choices), "named": named, **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if type(value) is not str or value not in self.choices:
            raise ValidationError(f"Must be one of: {', '.join(self.choices)}.")
        return value


class Several(Strict, fields.List[Any]):
    """A query parameter that may be given several times."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[Any]:
        return [self.inner.deserialize(item) for item in value]


class Side(Choice):
    """bid or ask; buy and sell are understood."""

    WORDS: Final = {"bid": "bid", "ask": "ask", "buy": "bid", "sell": "ask"}

    def __init__(self, **options: Any) -> None:
        super().__init__(*self.WORDS, named="SideWord", **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        return self.WORDS[super()._deserialize(value, attr, data, **kwargs)]


class Symbol(Strict, fields.String):
    """A stock's symbol in any case; in capitals once read."""

    def __init__(self, **options: Any) -> None:
        metadata = {"pattern": f"^{SYMBOL}$", "examples": ["PETR4"], **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        symbol = symbol_in(value) if type(value) is str else None
        if symbol is None:
            raise ValidationError(SYMBOL_RULE)
        return symbol


class Instant(Strict, fields.DateTime):
    """A moment with its zone (RFC 3339), in UTC once read."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> datetime:
        match = RFC3339.fullmatch(value) if type(value) is str else None
        if match is None:
            raise ValidationError("Must be a time with its zone, such as 2026-03-02T14:03:22Z.")
        if not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
            raise ValidationError(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.")
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except ValueError as error:
            raise ValidationError("There is no such time.") from error


class Flag(Strict, fields.Boolean):
    """true or false, and nothing that might mean either."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if type(value) is not bool:
            raise ValidationError("Must be true or false.")
        return value


class FlagText(Strict, fields.Boolean):
    """The same in a query string."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if value not in ("true", "false"):
            raise ValidationError("Must be true or false.")
        return bool(value == "true")
