"""Who may do what in Redis: a user for each kind of process, and one for operators (ACL, Redis 7.2 or Valkey).

Each permission is a selector: commands, and the keys or channels with which they may be used. `%R~` is for reading,
`%W~` for writing, `~` for both. Scripts ask for a permission twice: for the keys that they are given, and at each
command that they do. Nobody but the operator may do what Redis calls dangerous or administration.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from queues import names

OPERATOR = "operator"
"""Whoever runs the exchange: `minex up`, `minex rq`, people."""

PROCESSES = ("web", "live", "match", "clock", "reporter", "webhooks", "clearing")
"""The kinds of processes, which have a user each."""

FLAGS, QUEUES, READY_SETS = names.wake_flag("*"), f"rq:queue:{names.match_queue('*')}", names.ready_set("*")
HOOK_QUEUE, HOOK_FLAGS = f"rq:queue:{names.WEBHOOK_QUEUE}", names.webhook_flag("*")
HOOK_JOBS = f"rq:job:{names.WEBHOOK_JOB}*"
JOBS, WORKER, WORKERS = "rq:job:*", "rq:worker:*", "rq:workers*"
COUNTERS = f"LIMITS:{names.COUNTERS}/*"
"""How the keys of RQ and of the library `limits` begin."""

EVERYBODY = "+ping +select +multi +exec +discard +client|setinfo +script|load"
"""Without keys. What is in a transaction or a script may do no more than who asks for it."""

PROBING = (f"+set %W~{names.PROBE}",)
COUNTING = (f"+evalsha +lindex +lpush +ltrim +expire ~{COUNTERS}",)
TAKING_TOKENS = (f"+evalsha +time +get +set ~{names.BUCKETS}:*",)
GUARDING_LOG_INS = (f"+evalsha +time +hmget +hset +hincrby +expire +del ~{names.log_ins('*')}",)
READING_BOOKS = (f"+mget %R~{names.book('*')}",)
WAKING = (
    f"+evalsha ~{FLAGS} ~{QUEUES} ~{READY_SETS} ~{JOBS} ~rq:queues",
    f"+set %W~{FLAGS}",
    f"+del +llen +rpush ~{QUEUES}",
    f"+del +zadd ~{READY_SETS}",
    f"+hset %W~{JOBS}",
    "+sadd %W~rq:queues",
)
BEING_WOKEN = (
    f"+evalsha ~{READY_SETS} ~{WORKER}",
    f"+del +zpopmin +bzpopmin ~{READY_SETS}",
    f"+del %W~{FLAGS}",
    f"+del +lpop +exists ~{QUEUES}",
    f"+del %W~{JOBS}",
    "+type %R~rq:suspended",
)
ANNOUNCING = (
    f"+publish &{names.EVENTS_CHANNEL} &{names.replies_channel('*')}",
    f"+mset %W~{names.book('*')}",
)
BEATING = (f"+zadd +zrem +zremrangebyscore +expire +del %W~{names.heartbeats('*')}",)
BEING_SEEN = (
    f"+sadd +srem +sismember ~{WORKERS}",
    f"+hset +hincrby +expire ~{WORKER}",
    "+subscribe +unsubscribe &rq:pubsub:*",
)
WAKING_SENDERS = (
    f"+evalsha ~{HOOK_FLAGS} ~{HOOK_QUEUE} ~{HOOK_JOBS} ~rq:queues",
    f"+set %W~{HOOK_FLAGS}",
    f"+del +rpush ~{HOOK_QUEUE}",
    f"+del +hset %W~{HOOK_JOBS}",
    "+sadd %W~rq:queues",
)
CLEARING_QUEUE, CLEARING_JOBS = f"rq:queue:{names.CLEARING_QUEUE}", f"rq:job:{names.CLEARING_QUEUE}-*"
WAKING_CLEARING = (
    f"+evalsha ~{names.clearing_flag()} ~{CLEARING_QUEUE} ~{CLEARING_JOBS} ~rq:queues",
    f"+set %W~{names.clearing_flag()}",
    f"+del +rpush ~{CLEARING_QUEUE}",
    f"+del +hset %W~{CLEARING_JOBS}",
    "+sadd %W~rq:queues",
)
JUDGING = (
    f"+blpop +lpop ~{CLEARING_QUEUE}",
    f"+del %W~{names.clearing_flag()} %W~{JOBS}",
    "+type %R~rq:suspended",
)
SENDING = (
    f"+blpop +lpop ~{HOOK_QUEUE}",
    f"+del %W~{HOOK_FLAGS} %W~{JOBS}",
    "+type %R~rq:suspended",
)
SEEING_WORKERS = (f"+zcount %R~{names.heartbeats('*')}", "+type %R~rq:suspended")
HEARING_REPLIES = (f"+subscribe &{names.replies_channel('*')}",)
HEARING_EVENTS = (f"+subscribe &{names.EVENTS_CHANNEL}",)
HEARING_ALL = (f"+subscribe &{names.EVENTS_CHANNEL} &{names.REPORTS_CHANNEL}",)
REPORTING = (f"+publish &{names.REPORTS_CHANNEL}",)

PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "web": (
        *(*PROBING, *WAKING, *READING_BOOKS, *HEARING_REPLIES, *SEEING_WORKERS),
        *(*COUNTING, *TAKING_TOKENS, *GUARDING_LOG_INS, *WAKING_SENDERS),
    ),
    "live": (*PROBING, *HEARING_ALL, *READING_BOOKS, *COUNTING),
    "match": (*PROBING, *BEING_WOKEN, *ANNOUNCING, *BEING_SEEN, *BEATING, *WAKING_SENDERS),
    "clock": (*PROBING, *WAKING, *WAKING_CLEARING),
    "reporter": (*PROBING, *HEARING_EVENTS, *REPORTING),
    "webhooks": (*PROBING, *SENDING, *BEING_SEEN),
    "clearing": (*PROBING, *JUDGING, *BEING_SEEN, *WAKING),
}
"""Only `match` may publish events and write books: what others believe of them comes from it, or from an operator."""


def user_lines(passwords: Mapping[str, str]) -> list[str]:
    """The users as lines of Redis's configuration, each with the hash of its password; nobody else is let in."""
    hashes = {name: hashlib.sha256(password.encode()).hexdigest() for name, password in passwords.items()}
    return users_with(hashes)


def users_with(hashes: Mapping[str, str]) -> list[str]:
    """As `user_lines`, with SHA-256 in hexadecimal, or whatever shall stand for it, by the user's name."""
    lines = ["user default reset off", f"user {OPERATOR} reset on #{hashes[OPERATOR]} ~* &* +@all"]
    for name, permissions in PERMISSIONS.items():
        selectors = " ".join(f"({permission})" for permission in permissions)
        lines.append(f"user {name} reset on #{hashes[name]} {EVERYBODY} {selectors}")
    return lines
