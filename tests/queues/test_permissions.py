"""Given a process that strangers have taken over, then it does in Redis what its kind does, and nothing else.

That each process can do its work so is told by tests/flows, where each has its own user.
"""

from collections.abc import Callable, Iterator

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from embedded.valkey import ValkeyServer
from queues.bus import Bus
from queues.connection import connect
from queues.names import EVENTS_CHANNEL, REPORTS_CHANNEL
from queues.permissions import EVERYBODY, OPERATOR, PERMISSIONS, PROCESSES
from queues.scripts import TAKE
from queues.wakeups import Wakeups
from settings import sections

DANGEROUS = (
    "CONFIG GET *", "CONFIG SET maxclients 1", "MODULE LIST", "FLUSHALL", "FLUSHDB", "KEYS *", "SHUTDOWN NOSAVE",
    "MONITOR", "INFO", "CLIENT LIST", "CLIENT KILL TYPE normal", "CLIENT PAUSE 1", "ACL LIST", "ACL SETUSER x on",
    "SCRIPT FLUSH", "SCRIPT KILL", "FUNCTION FLUSH", "REPLICAOF 127.0.0.1 1", "SWAPDB 0 1", "SORT minex:book:PETR4",
    "SCAN 0", "RANDOMKEY", "DBSIZE", "EVAL return(1) 0", "PUBSUB CHANNELS", "PSUBSCRIBE *", "MIGRATE h 1 k 0 1",
)  # fmt: skip
"""What no process does."""

FORBIDDEN = {
    "web": (
        f"PUBLISH {EVENTS_CHANNEL} x", "PUBLISH minex:replies:1 x", "PUBLISH rq:pubsub:w x",
        f"SUBSCRIBE {EVENTS_CHANNEL}",
        "MSET minex:book:PETR4 x", "SET minex:book:PETR4 x", "DEL minex:book:PETR4", "ZADD minex:heartbeats:A 1 w",
        "SADD rq:workers w", "HSET rq:worker:w state x", "SET rq:suspended 1", "DEL rq:suspended",
        "LPOP rq:queue:match.A",
        "HGETALL rq:job:1", "DEL rq:job:1", "SET other x", "GET wake:PETR4", "BZPOPMIN minex:ready:A 1",
    ),
    "live": (
        f"PUBLISH {EVENTS_CHANNEL} x", "PUBLISH minex:replies:1 x", "SUBSCRIBE minex:replies:1",
        "MSET minex:book:PETR4 x",
        "SET wake:PETR4 1", "RPUSH rq:queue:match.PETR4 x", "ZADD minex:ready:A 1 PETR4", "SADD rq:workers w",
        "ZCOUNT minex:heartbeats:A 0 1", "SET other x",
    ),
    "match": (
        f"SUBSCRIBE {EVENTS_CHANNEL}", "SUBSCRIBE minex:replies:1", "PUBLISH rq:pubsub:w x", "PUBLISH other x",
        "SET rq:suspended 1", "RPUSH rq:queue:match.PETR4 x", "HSET rq:job:1 data x", "SET wake:PETR4 1",
        "LPUSH LIMITS:minex:moving-limit/x 1", "MGET minex:book:PETR4", "SET other x",
    ),
    "clock": (
        f"PUBLISH {EVENTS_CHANNEL} x", f"SUBSCRIBE {EVENTS_CHANNEL}", "SUBSCRIBE minex:replies:1",
        "MGET minex:book:PETR4", "MSET minex:book:PETR4 x", "ZADD minex:heartbeats:A 1 w",
        "LPUSH LIMITS:minex:moving-limit/x 1", "SET other x",
    ),
    "reporter": (
        f"PUBLISH {EVENTS_CHANNEL} x", f"SUBSCRIBE {REPORTS_CHANNEL}", "SUBSCRIBE minex:replies:1",
        "PUBLISH minex:replies:1 x", "MGET minex:book:PETR4", "MSET minex:book:PETR4 x", "SET wake:PETR4 1",
        "LPUSH LIMITS:minex:moving-limit/x 1", "SET other x",
    ),
    "webhooks": (
        f"PUBLISH {EVENTS_CHANNEL} x", f"SUBSCRIBE {EVENTS_CHANNEL}", "SUBSCRIBE minex:replies:1",
        "PUBLISH minex:replies:1 x", "MGET minex:book:PETR4", "MSET minex:book:PETR4 x", "SET wake:PETR4 1",
        "RPUSH rq:queue:webhooks x", "LPOP rq:queue:match.PETR4", "BZPOPMIN minex:ready:A 1", "HSET rq:job:1 data x",
        "ZADD minex:heartbeats:A 1 w", "LPUSH LIMITS:minex:moving-limit/x 1", "SET minex:hook:1 1", "SET other x",
    ),
    "clearing": (
        f"PUBLISH {EVENTS_CHANNEL} x", f"SUBSCRIBE {EVENTS_CHANNEL}", "SUBSCRIBE minex:replies:1",
        "PUBLISH minex:replies:1 x", "MGET minex:book:PETR4", "MSET minex:book:PETR4 x",
        "RPUSH rq:queue:clearing x", "LPOP rq:queue:match.PETR4", "LPOP rq:queue:webhooks", "BZPOPMIN minex:ready:A 1",
        "ZADD minex:heartbeats:A 1 w", "LPUSH LIMITS:minex:moving-limit/x 1", "SET minex:hook:1 1", "SET other x",
    ),
}  # fmt: skip
"""What others do."""


REFUSED = r"(?i)no permissions"


@pytest.fixture
def connected(valkey_server: ValkeyServer, redis_url: str) -> Iterator[Callable[[str], Redis]]:
    made = []

    def make(user: str) -> Redis:
        made.append(connect(sections.Redis(url=valkey_server.url_of(user), timeout_ms=5_000)))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.mark.parametrize("process", PROCESSES)
def test_what_a_process_must_not_do_is_refused(connected: Callable[[str], Redis], process: str) -> None:
    client = connected(process)
    done = []
    for command in (*DANGEROUS, *FORBIDDEN[process]):
        try:
            client.execute_command(*command.split())
        except NoPermissionError:
            continue
        done.append(command)
    assert done == []


@pytest.mark.parametrize("process", PROCESSES)
def test_scripts_may_do_no_more_than_who_runs_them(connected: Callable[[str], Redis], process: str) -> None:
    client = connected(process)
    publishing = client.register_script(f"return redis.call('PUBLISH', '{EVENTS_CHANNEL}', 'x')")
    flushing = client.register_script("return redis.call('FLUSHALL')")
    for script in (publishing, flushing) if process != "match" else (flushing,):
        with pytest.raises(Exception, match=REFUSED):
            script()


def test_only_matching_takes_wakeups(connected: Callable[[str], Redis]) -> None:
    for process in ("web", "live", "clock", "reporter", "webhooks", "clearing"):
        with pytest.raises(Exception, match=REFUSED):
            connected(process).register_script(TAKE)(["minex:ready:A"], [1, "wake:", "rq:queue:match.", "rq:job:"])
    assert connected("match").register_script(TAKE)(["minex:ready:A"], [1, "wake:", "rq:queue:match.", "rq:job:"]) == []


@pytest.mark.parametrize("waker", ["web", "clock"])
@pytest.mark.parametrize("stocks", [1, 1_500])
def test_whoever_wakes_and_whoever_takes_has_the_rights_for_it(
    connected: Callable[[str], Redis], waker: str, stocks: int
) -> None:
    """Also where somebody has left something else, and for more stocks than one call takes."""
    operator, symbols = connected(OPERATOR), [f"S{number:04}" for number in range(stocks)]
    operator.set("minex:ready:A", "junk")
    operator.set("rq:queue:match.S0000", "junk")
    wakeups, worker = Wakeups(connected(waker)), Wakeups(connected("match"))
    for again in (False, True):
        assert wakeups.wake([(symbol, "A") for symbol in symbols], again=again)
        assert operator.zcard("minex:ready:A") == stocks
        assert len(operator.keys("rq:job:*")) == stocks
        assert sorted(worker.take("A", worker="rq:worker:match-A")) == symbols
        assert operator.keys("wake:*") == operator.keys("rq:job:*") == operator.keys("rq:queue:*") == []
        operator.set("minex:ready:A", "junk")
    assert worker.take("A") == []
    operator.flushdb()


def test_who_has_the_rights_of_web_can_tell_nobody_of_a_trade(connected: Callable[[str], Redis]) -> None:
    message = {"room": "user:1", "event": "ORDER_FILLED", "payload": {}}
    with connected("live").pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe(EVENTS_CHANNEL)
        listener.get_message(timeout=5)
        assert not Bus(connected("web")).announce([message], {"PETR4": {}}, [("1/2", None)])
        assert Bus(connected("match")).announce([{**message, "payload": {"by": "match"}}])
        heard = None
        while heard is None:
            heard = listener.get_message(timeout=5)
    assert b"match" in heard["data"]


def test_every_process_has_permissions_and_the_operator_all(connected: Callable[[str], Redis]) -> None:
    assert set(PERMISSIONS) == set(PROCESSES) == set(FORBIDDEN)
    operator = connected(OPERATOR)
    assert set(operator.acl_users()) == {"default", OPERATOR, *PROCESSES}
    assert operator.config_get("maxclients")
    for category in ("admin", "dangerous"):
        for process in PROCESSES:
            allowed = [name for name in operator.acl_cat(category) if _may_run(operator, process, name)]
            assert allowed == [], (process, category)


def _may_run(operator: Redis, process: str, command: str) -> bool:
    """True if some permission of the process names the command, with whatever keys."""
    named = {
        word[1:]
        for permission in (EVERYBODY, *PERMISSIONS[process])
        for word in permission.split()
        if word.startswith("+")
    }
    return command in named


def test_nobody_comes_in_without_a_name(valkey_server: ValkeyServer, connected: Callable[[str], Redis]) -> None:
    password = valkey_server.password_of(OPERATOR)
    stranger = valkey_server.url.replace(f"{OPERATOR}:", "default:")
    assert password in stranger
    with pytest.raises(AuthenticationError), Redis.from_url(stranger) as client:
        client.ping()
