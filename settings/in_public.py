"""What an exchange needs before strangers can reach it."""

from __future__ import annotations

from collections.abc import Iterator

from settings.admin_key import is_loopback
from settings.sections import Settings
from settings.values import SettingsError

LIMITS = ("orders_per_second", "cancels_per_second", "reads_per_second", "failures_per_minute")


def is_public(settings: Settings) -> bool:
    """True if strangers can reach it: as it is said, else wherever it listens to more than this machine."""
    if settings.exchange.public is not None:
        return settings.exchange.public
    return not all(is_loopback(host) for host in (settings.web.host, settings.live.host))


def refuse_unsafe(settings: Settings) -> None:
    """Raises SettingsError, which names all that is missing, for an exchange that is public and not ready for that."""
    missing = list(_missing(settings)) if is_public(settings) else []
    if missing:
        why = "MINEX_PUBLIC" if settings.exchange.public else f"host {settings.web.host!r}, {settings.live.host!r}"
        raise SettingsError(f"{why}: where strangers can reach the exchange it needs {'; '.join(missing)}")


def _missing(settings: Settings) -> Iterator[str]:
    if not settings.exchange.admin_key:
        yield "an administrator's key of its own (MINEX_ADMIN_KEY)"
    if not settings.identity.token_secret:
        yield "a secret of its own for tokens (MINEX_IDENTITY_TOKEN_SECRET)"
    origins = settings.live.origins
    if not origins or not all(origin.startswith("https://") for origin in origins):
        yield "the https origins of its pages and no others (MINEX_LIVE_ORIGINS)"
    unlimited = [name for name in LIMITS if not getattr(settings.limits, name)]
    if unlimited:
        yield f"limits ({', '.join(f'MINEX_LIMITS_{name.upper()}' for name in unlimited)})"
    if settings.exchange.debug:
        yield "MINEX_DEBUG=false"
    if settings.webhooks.allow_private:
        yield "MINEX_WEBHOOKS_ALLOW_PRIVATE=false"
