"""What the client prefers (RFC 7240): to wait for an outcome, or not to."""

from dataclasses import dataclass

from api.http.calls import present


@dataclass(frozen=True, slots=True)
class Preferences:
    """What `Prefer` asks for: `wait` in seconds, None where it does not say."""

    wait: int | None = None
    respond_async: bool = False


NONE = Preferences()


def preferences() -> Preferences:
    """The preferences of the present request. One that cannot be understood is passed over, as the RFC wants."""
    said = present().environ.get("HTTP_PREFER")
    if said is None:
        return NONE
    wait, respond_async = None, False
    for preference in said.split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        if name == "wait" and wait is None and value.isascii() and value.isdigit() and len(value) <= 9:
            wait = int(value)
        respond_async = respond_async or name == "respond-async"
    return Preferences(wait, respond_async)
