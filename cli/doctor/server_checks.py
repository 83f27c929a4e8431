"""The servers that others run, as `minex doctor` sees them: PostgreSQL, what its roles can do, and Redis."""

from __future__ import annotations

from collections.abc import Iterator

from cli.doctor.finding import Finding
from cli.doctor.powers import Use, powers_of
from cli.local.cache import is_new_enough, look_at_redis
from cli.local.database import look_at, must_fit, must_serve
from cli.terminal import CommandError
from settings.connections import connections_of
from settings.sections import Settings

SEE_DATABASE = "see [database] url"


def database(settings: Settings) -> Finding:
    """The PostgreSQL of the settings, or our own."""
    url = settings.database.url
    if not url:
        return Finding("PostgreSQL", True, "our own")
    try:
        found = must_serve(settings.database.owner, "migrate")
        must_fit(look_at(url), connections_of(settings))
    except CommandError as error:
        return Finding("PostgreSQL", False, error.message, " or ".join(error.mend) if error.mend else SEE_DATABASE)
    state = "" if found.is_newest else ", no exchange in it yet" if found.revision is None else ", to be migrated"
    return Finding("PostgreSQL", True, f"{found.version} at {found.host}, database {found.name}{state}")


def roles(settings: Settings) -> Iterator[Finding]:
    """What the roles can do in the PostgreSQL of the settings; more than processes and live need is not well.

    Where the processes work as the owner of the tables that is only told: it is how others have it from before.
    """
    given = settings.database
    if not given.url:
        return
    uses: dict[str, tuple[str, Use | None]] = {"PostgreSQL owner": (given.owner, None)}
    if given.owner == given.url:
        uses = {"PostgreSQL role": (given.url, None)}
    else:
        uses["PostgreSQL processes"] = (given.url, "process")
    if given.reader != given.url:
        uses["PostgreSQL reader"] = (given.reader, "reader")
    for subject, (url, use) in uses.items():
        try:
            powers = powers_of(url)
        except CommandError as error:
            yield Finding(subject, False, error.message, " or ".join(error.mend) if error.mend else SEE_DATABASE)
            continue
        beyond = powers.beyond(use) if use else ()
        alone = "; every process can do that" if given.owner == given.url == url else ""
        mend = f"a role of which this is not true: {', '.join(beyond)}; see docs/operations.md"
        yield Finding(subject, not beyond, f"{powers}{alone}", mend)


def cache(settings: Settings) -> Finding:
    """The Redis of the settings, or our own."""
    url = settings.redis.url
    if not url:
        return Finding("Redis", True, "our own (Valkey)")
    try:
        found = look_at_redis(url)
    except CommandError as error:
        return Finding("Redis", False, error.message, "see [redis] url")
    return Finding("Redis", is_new_enough(found.version), str(found), "6.2 or later is needed")
