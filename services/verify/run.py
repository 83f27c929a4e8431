"""Check every invariant on one snapshot of a live exchange."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.verify.checks import (
    account_events,
    balances,
    books,
    clearing,
    conservation,
    fees,
    figures,
    fills,
    ledger,
    positions,
    sequences,
    settlement,
    terms,
    trades,
    webhooks,
)
from services.verify.checks.rule import Rule, count, search
from services.verify.replay.journals import replay_journals
from services.verify.report import Check, Report

SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
"""One snapshot for all queries: whatever commits meanwhile is not seen, and nobody waits for it."""

PATIENCE = (
    text("SET LOCAL statement_timeout = 0"),
    text("SET LOCAL idle_in_transaction_session_timeout = 0"),
    text("SET LOCAL work_mem = '64MB'"),
    text("SET LOCAL cursor_tuple_fraction = 1"),
    text("SET LOCAL enable_nestloop = off"),
)
"""Sums over the whole history take their time; what is streamed is read to its end. Statistics may be much older than
the history: then a loop over what is thought to be few rows would take the square of the time."""

Step = Callable[[Session, Check], None]


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule that must always hold, by its number, and the steps that look for what breaks it."""

    number: int
    title: str
    steps: tuple[Step, ...]


def by_rules(rules: tuple[Rule, ...], tables: tuple[str, ...]) -> Step:
    """Search `tables` for rows that break `rules`."""

    def step(session: Session, check: Check) -> None:
        check.rows += count(session, tables)
        search(session, check, rules)

    return step


INVARIANTS = (
    Invariant(1, "Accounts hold what was deposited", (by_rules(conservation.RULES, conservation.TABLES),)),
    Invariant(2, "Open orders are reserved for, within limits", (by_rules(balances.RULES, balances.TABLES),)),
    Invariant(
        3,
        "Balances are the sum of transfers",
        (
            by_rules((*ledger.RULES, *positions.RULES), positions.TABLES),
            by_rules((*clearing.TRADES, *clearing.MONEY), clearing.TABLES),
        ),
    ),
    Invariant(
        4,
        "Orders are the sum of fair, settled trades",
        (
            by_rules(fills.RULES, fills.TABLES),
            by_rules(trades.RULES, trades.TABLES),
            by_rules(settlement.RULES, settlement.TABLES),
            by_rules(fees.RULES, fees.TABLES),
            by_rules(terms.RULES, terms.TABLES),
        ),
    ),
    Invariant(5, "Books are uncrossed, current and in time priority", (by_rules(books.RULES, books.TABLES),)),
    Invariant(
        6,
        "Sequences have no gaps or repeats",
        (
            by_rules(sequences.RULES, sequences.TABLES),
            by_rules(account_events.RULES, account_events.TABLES),
            by_rules(webhooks.RULES, webhooks.TABLES),
            by_rules(terms.RECORDS, terms.RECORD_TABLES),
        ),
    ),
)

REPLAYED = (replay_journals, positions.check_positions)
REPLAY = Invariant(7, "The journal replayed gives the same trades and books", REPLAYED)

FIGURES = Invariant(8, "Candles and sessions are those of the trades", (by_rules(figures.RULES, figures.TABLES),))


def verify(session: Session, replay: bool = False, tell: Callable[[Check], None] | None = None) -> Report:
    """Check all invariants, with `replay` the journal too; `tell` hears of each as soon as it is done.

    The session's transaction must be new: it becomes one read-only snapshot. Nothing is locked and nobody waits, but
    while the snapshot is open PostgreSQL keeps old row versions, so a long replay belongs in a quiet hour or on a
    standby.
    """
    for statement in (SNAPSHOT, *PATIENCE):
        session.execute(statement)
    report = Report(session.execute(text("SELECT now()")).scalar_one(), replay)
    for invariant in (*INVARIANTS, *([REPLAY] if replay else ()), FIGURES):
        check = Check(invariant.number, invariant.title)
        started = time.monotonic()
        for step in invariant.steps:
            step(session, check)
        check.seconds = time.monotonic() - started
        report.checks.append(check)
        if tell is not None:
            tell(check)
    return report
