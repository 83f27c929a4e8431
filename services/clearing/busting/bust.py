"""Carry out a run of busts: decide each, move what it moves, and work out again what depended on the trade.

A bust is a command of its stock's inbox, so that it has a place in the journal. Its turn locks the stock, the parties
and whoever asked for it, and only then decides: of several that are asked for at once exactly one takes effect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from database.statements import Statements
from models import CASH
from models.clearing.bust import WAITING_FOR_GUARANTEE
from services.clearing.busting.admission import ALREADY_BUSTED, CONFIRMING, Confirmation, refusal_of
from services.clearing.busting.compensation import Accounts, Compensation, Given
from services.clearing.busting.loading import (
    Parties,
    advanced_now,
    asked_together,
    correction_of,
    lock_busts,
    lock_parties,
    may_confirm,
)
from services.clearing.busting.position_history import Recounted, recounted
from services.clearing.busting.standing_trades import standing_trades
from services.settlement.ledger import Account
from settings.clearing import Clearing


class UnequalPosition(Exception):
    """A position worked out again is not what the account holds: the bust would make it worse."""


@dataclass(frozen=True, slots=True)
class BustCommand:
    """A bust whose turn has come at `at`: the id of its command, its own, and who has confirmed it.

    `fee_account` is that of its stock, and `share_value` what a share of it counts for that is lent, in cents.
    """

    command_id: int
    bust_id: int
    confirmation: Confirmation | None
    at: datetime
    fee_account: int
    share_value: int


@dataclass(slots=True)
class DecidedBust:
    """What came of a bust at its turn: `refused` says why nothing did.

    `last_price` (cents) is the stock's from then on; `event_sequence` its place on the tape.
    """

    command: BustCommand
    bust: Any
    at: datetime
    refused: str | None = None
    compensation: Compensation = field(default_factory=Compensation)
    last_price: int | None = None
    event_sequence: int | None = None

    @property
    def confirmation(self) -> Confirmation | None:
        """Who confirmed it, where that took effect."""
        return self.command.confirmation if self.refused in (None, WAITING_FOR_GUARANTEE) else None


@dataclass(slots=True)
class BustRun:
    """A run of busts as it was decided; the rest is there where one of them takes effect."""

    decided: list[DecidedBust]
    parties: Parties = field(default_factory=Parties)
    accounts: Accounts = field(default_factory=Accounts)
    changed: set[Account] = field(default_factory=set)
    positions: dict[Account, Recounted] = field(default_factory=dict)

    @property
    def done(self) -> list[DecidedBust]:
        """Those that take effect."""
        return [each for each in self.decided if each.refused is None]

    @property
    def given(self) -> list[Given]:
        """All that they move, in order."""
        return [given for each in self.done for given in each.compensation.given]


def decide(session: Statements, commands: Sequence[BustCommand], terms: Clearing) -> BustRun:
    """Decide a run of busts, in its order. Their stocks are locked; their parties are from here to the commit.

    Raises UnequalPosition.
    """
    rows = lock_busts(session, {command.bust_id for command in commands})
    run = BustRun([DecidedBust(command, rows[command.bust_id], command.at) for command in commands])
    taken: set[int] = set()
    for each in run.decided:
        each.refused = _refusal(session, each, terms)
        if each.refused is None and each.bust.trade_id in taken:
            each.refused = ALREADY_BUSTED
        if each.refused is None:
            taken.add(each.bust.trade_id)
    if not run.done:
        return run
    run.parties = lock_parties(
        session, [each.bust for each in run.done], sorted({each.command.fee_account for each in run.done})
    )
    run.accounts = Accounts(run.parties.holdings())
    _compensate(session, run, terms)
    _recount(session, run)
    standing = standing_trades(session, Counter(each.bust.stock_id for each in run.done))
    for each in run.done:
        trades = standing[each.bust.stock_id]
        trades.correct(each.bust.trade_id, each.bust.new_price)
        each.last_price = trades.last_price
    return run


def _refusal(session: Statements, each: DecidedBust, terms: Clearing) -> str | None:
    together = 0 if each.bust.rule else asked_together(session, each.bust, terms.window_seconds)
    confirmation = each.command.confirmation
    may = confirmation is not None and may_confirm(session, confirmation.person, CONFIRMING)
    return refusal_of(each.bust, confirmation, may, together, terms)


def _compensate(session: Statements, run: BustRun, terms: Clearing) -> None:
    """Have each bust move what it moves; one that would take the guarantee account beyond its limit waits."""
    advanced: int | None = None
    for each in run.done:
        correction = correction_of(each.bust, run.parties.fills, each.command.fee_account)
        compensation, changed = run.accounts.after(correction)
        if compensation.shortfalls:
            if advanced is None:
                advanced = advanced_now(session)
            worth = {CASH: 1, each.bust.stock_id: each.command.share_value}
            more = sum(lack.missing * worth[lack.asset_id] for lack in compensation.shortfalls)
            if advanced + more > terms.guarantee_limit:
                each.refused = WAITING_FOR_GUARANTEE
                continue
            advanced += more
        each.compensation = compensation
        run.accounts.take(changed)
        run.changed |= changed.keys()


def _recount(session: Statements, run: BustRun) -> None:
    """Work out again what the parties' positions cost, from the first of these trades on."""
    first: dict[Account, int] = {}
    for each in run.done:
        bust = each.bust
        for broker, order in ((bust.buyer_id, bust.buy_order_id), (bust.seller_id, bust.sell_order_id)):
            account, sequence = (broker, bust.stock_id), run.parties.fills[bust.trade_id, order].sequence
            first[account] = min(sequence, first.get(account, sequence))
    busted = {each.bust.trade_id for each in run.done if each.bust.new_price is None}
    adjusted = {each.bust.trade_id: each.bust.new_price for each in run.done if each.bust.new_price is not None}
    for account, sequence in sorted(first.items()):
        found = recounted(session, account, sequence, busted, adjusted)
        holding = run.accounts.holdings[account]
        net = holding.available + run.parties.balances[account].reserved - holding.owed
        if net != found.position.held:
            raise UnequalPosition(f"broker {account[0]} has {net} of stock {account[1]}, not {found.position.held}")
        run.positions[account] = found
        run.changed.add(account)
