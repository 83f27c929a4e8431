"""Group commit: alone at once, together when many wait, and each with its own answer."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.http.problems import OutcomeUnknown
from api.intake.group_commit import Failed, GroupCommit, Meaning

MEANINGS = {ValueError: Meaning.REFUSED, ConnectionError: Meaning.FINAL}
"""All else has no known outcome."""


class Store:
    """Doubles numbers, remembers its groups, and can be held back."""

    def __init__(self):
        self.groups = []
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()

    def __call__(self, requests):
        self.groups.append(list(requests))
        self.entered.set()
        assert self.open.wait(10)
        if any(request == "bad" for request in requests):
            raise ValueError("bad")
        if any(request == "gone" for request in requests):
            raise ConnectionError("gone")
        for request in requests:
            if isinstance(request, BaseException):
                raise request
        return [request * 2 for request in requests]


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def commit(store):
    return GroupCommit(store, lambda error: MEANINGS.get(type(error), Meaning.UNKNOWN), most=50)


def waits(commit, count):
    """Return when so many wait."""
    deadline = time.monotonic() + 10
    while len(commit._waiting) < count:
        assert time.monotonic() < deadline, commit._waiting
        time.sleep(0.001)


def gathered(store, commit, requests):
    """The futures of `requests`, submitted in order while the first of them is held back in the store."""
    pool = ThreadPoolExecutor(len(requests))
    store.open.clear()
    store.entered.clear()
    futures = [pool.submit(commit.submit, requests[0])]
    assert store.entered.wait(10)
    for n, request in enumerate(requests[1:], 1):
        futures.append(pool.submit(commit.submit, request))
        waits(commit, n)
    store.open.set()
    pool.shutdown(wait=True)
    return futures


def test_a_lone_request_goes_at_once(store, commit):
    assert commit.submit(21) == 42
    assert commit.submit(1) == 2
    assert store.groups == [[21], [1]]


def test_those_who_wait_go_together_in_order_of_arrival(store, commit):
    futures = gathered(store, commit, list(range(10)))
    assert [future.result() for future in futures] == [n * 2 for n in range(10)]
    assert store.groups == [[0], list(range(1, 10))]


def test_a_group_is_bounded_and_the_rest_follows(store, commit):
    futures = gathered(store, commit, list(range(61)))
    assert [future.result() for future in futures] == [n * 2 for n in range(61)]
    assert [len(group) for group in store.groups] == [1, 50, 10]


def test_a_wish_that_breaks_its_group_fails_alone(store, commit):
    futures = gathered(store, commit, [0, 1, "bad", 3])
    assert [future.result() for future in (futures[0], futures[1], futures[3])] == [0, 2, 6]
    with pytest.raises(ValueError, match="bad"):
        futures[2].result()
    assert commit.submit(5) == 10


def test_what_holds_for_all_is_not_tried_one_by_one(store, commit):
    futures = gathered(store, commit, [0, 1, "gone", 3])
    assert futures[0].result() == 0
    for future in futures[1:]:
        with pytest.raises(ConnectionError):
            future.result()
    assert len(store.groups) == 2


@pytest.mark.parametrize("end", [KeyError("a fault of ours"), SystemExit(1), KeyboardInterrupt()])
def test_what_may_have_been_done_is_unknown_to_all_and_never_done_again(store, commit, end):
    """It may have come after the commit: to store the group once more would double its orders."""
    futures = gathered(store, commit, [0, 1, end, 3])
    assert futures[0].result() == 0
    ended = () if isinstance(end, Exception) else (type(end),)
    for future in futures[1:]:
        with pytest.raises((OutcomeUnknown, *ended)):
            future.result()
    assert [type(future.exception()) for future in futures[1:]].count(OutcomeUnknown) == 3 - len(ended)
    assert len(store.groups) == 2
    assert commit.submit(5) == 10


def test_who_leads_and_is_ended_passes_the_lead_on(store, commit):
    end = SystemExit()
    futures = gathered(store, commit, [end, 1, 2])
    assert futures[0].exception() is end
    assert [future.result() for future in futures[1:]] == [2, 4]
    assert commit.submit(5) == 10


def test_many_threads_lose_nothing(store, commit):
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(commit.submit, range(2000))) == [n * 2 for n in range(2000)]
    assert sorted(request for group in store.groups for request in group) == list(range(2000))


def test_what_one_request_brings_keeps_its_answers_and_lets_others_go_between(store, commit):
    assert commit.submit_all([1, 2, 3]) == [2, 4, 6]
    pool = ThreadPoolExecutor(4)
    store.open.clear()
    store.entered.clear()
    first = pool.submit(commit.submit, 0)
    assert store.entered.wait(10)
    batches = []
    for n, size in enumerate((130, 1, 30), 1):
        batches.append(pool.submit(commit.submit_all, list(range(size))))
        waits(commit, n)
    store.open.set()
    pool.shutdown(wait=True)
    assert first.result() == 0
    assert [batch.result() for batch in batches] == [[n * 2 for n in range(size)] for size in (130, 1, 30)]
    assert store.groups[2] == [*range(10), 0, *range(10), *range(10, 15)]
    assert [len(group) for group in store.groups] == [3, 1, 26, 25, 25, 25, 25, 25, 10]


def test_one_wrong_wish_of_a_batch_fails_alone(store, commit):
    answers = commit.submit_all([1, "bad", 3])
    assert [answers[0], answers[2]] == [2, 6]
    assert isinstance(answers[1], Failed)


def test_one_by_one_ends_when_the_database_goes(store, commit):
    answers = commit.submit_all([1, "bad", "gone", 3, 4])
    assert answers[0] == 2
    assert [type(answer.error) for answer in answers[1:]] == [
        ValueError,
        ConnectionError,
        ConnectionError,
        ConnectionError,
    ]
    assert store.groups[-1] == ["gone"]


def test_batches_leave_room_for_whoever_comes_with_one(store):
    """However many batches wait, a group has few of theirs; those that were left out are the first of the next."""
    commit = GroupCommit(store, lambda error: Meaning.UNKNOWN)
    pool = ThreadPoolExecutor(8)
    store.open.clear()
    store.entered.clear()
    first = pool.submit(commit.submit, 0)
    assert store.entered.wait(10)
    batches = [range(start, start + 40) for start in (1_000, 2_000, 3_000)]
    asked = [pool.submit(commit.submit_all, requests) for requests in (*batches, [1], [2])]
    waits(commit, len(asked))
    waiting = [ticket.left[0] for ticket in commit._waiting]
    store.open.set()
    pool.shutdown(wait=True)
    assert first.result() == 0
    assert [future.result() for future in asked] == [[n * 2 for n in requests] for requests in (*batches, [1], [2])]
    large = [start for start in waiting if start >= 1_000]
    one, other, third = (range(start, start + 40) for start in large)
    assert set(store.groups[1]) == {*one[:10], *other[:10], *third[:5], 1, 2}
    assert store.groups[2] == [*one[10:20], *other[10:20], *third[5:10]]
    assert store.groups[3] == [*one[20:30], *other[20:30], *third[10:15]]


def test_who_comes_with_one_while_a_batch_is_stored_goes_next_and_apart(store):
    """He has waited for a long statement, so he does not share the next."""
    commit = GroupCommit(store, lambda error: Meaning.UNKNOWN)
    pool = ThreadPoolExecutor(8)
    store.open.clear()
    store.entered.clear()
    batch = pool.submit(commit.submit_all, range(1_000, 1_060))
    assert store.entered.wait(10)
    asked = [pool.submit(commit.submit_all, requests) for requests in (range(2_000, 2_040), [1], [2])]
    waits(commit, len(asked) + 1)
    store.open.set()
    pool.shutdown(wait=True)
    assert batch.result() == [n * 2 for n in range(1_000, 1_060)]
    assert [future.result() for future in asked] == [[n * 2 for n in range(2_000, 2_040)], [2], [4]]
    assert sorted(store.groups[1]) == [1, 2]
    assert sorted(itertools.chain(*store.groups[2:])) == [*range(1_025, 1_060), *range(2_000, 2_040)]
