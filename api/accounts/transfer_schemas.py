"""What deposits, withdrawals and statements look like."""

from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields

from api.accounts.account_schemas import LARGEST_CASH, LARGEST_POSITION, Positions
from api.http.fields import Choice, Instant, Strict, Text, Whole, Word
from api.http.paging import PageQuerySchema
from services.accounts.external_transfers import CASH_NAME
from services.accounts.statement import KINDS
from services.stocks.symbols import SYMBOL_RULE, symbol_in


class DepositedSharesSchema(Schema):
    """Shares that come in, and what they cost."""

    quantity = Whole(1, LARGEST_POSITION, required=True)
    cost = Whole(
        0,
        LARGEST_CASH,
        allow_none=True,
        load_default=None,
        metadata={"description": "Cents in all; left out, what they are worth at the reference price."},
    )


class WithdrawnSharesSchema(Schema):
    """Shares that go out; they take their part of the position's cost along."""

    quantity = Whole(1, LARGEST_POSITION, required=True)


class DepositSchema(Schema):
    """What comes in from outside: cash, shares or both."""

    EXAMPLES: ClassVar = {
        "Cash": {"reference": "wire 2026/117", "cash": 100_000_000},
        "Shares": {"reference": "custody 8", "positions": {"PETR4": {"quantity": 100, "cost": 350_000}}},
    }

    reference = Text(1, 128, required=True, metadata={"description": "The same again is done once, for ever."})
    cash = Whole(0, LARGEST_CASH, load_default=0, metadata={"description": "Cents."})
    positions = Positions(
        fields.Nested(DepositedSharesSchema), load_default=dict, metadata={"description": "Shares by symbol."}
    )


class WithdrawalSchema(Schema):
    """What goes out: cash, shares or both, of what is available."""

    EXAMPLES: ClassVar = {
        "Cash": {"reference": "payout 5", "cash": 1_000},
        "Shares": {"reference": "delivery 2", "positions": {"PETR4": {"quantity": 10}}},
    }

    reference = Text(1, 128, required=True, metadata={"description": "The same again is done once, for ever."})
    cash = Whole(0, LARGEST_CASH, load_default=0, metadata={"description": "Cents."})
    positions = Positions(
        fields.Nested(WithdrawnSharesSchema), load_default=dict, metadata={"description": "Shares by symbol."}
    )


class LineSchema(Schema):
    """One line of a statement: cents of cash, or shares."""

    transfer_id = fields.Integer(required=True)
    time = fields.DateTime(required=True)
    asset = fields.String(required=True, metadata={"description": "cash, or a symbol."})
    kind = Word("TransferKind", *KINDS, required=True)
    amount = fields.Integer(required=True, metadata={"description": "Negative for what went out."})
    balance_after = fields.Integer(required=True, metadata={"description": "Available and reserved together."})
    order_id = fields.Integer(required=True, allow_none=True)
    trade_id = fields.Integer(required=True, allow_none=True)
    reference = fields.String(required=True, allow_none=True)


class ExternalLineSchema(LineSchema):
    """What came in or went out; `cost` in cents is what shares added to the cost of the position."""

    cost = fields.Integer(required=True, allow_none=True)


class MovedSchema(Schema):
    """What was done under this reference."""

    reference = fields.String(required=True)
    transfers = fields.List(fields.Nested(ExternalLineSchema), required=True)


class Asset(Strict, fields.String):
    """cash, or a stock's symbol in any case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"examples": [CASH_NAME, "PETR4"]}, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if value == CASH_NAME:
            return CASH_NAME
        symbol = symbol_in(value) if type(value) is str else None
        if symbol is None:
            raise ValidationError(f"Must be cash or a symbol. {SYMBOL_RULE}")
        return symbol


class StatementQuerySchema(PageQuerySchema):
    """Which account, and which of its lines."""

    asset = Asset(load_default=CASH_NAME)
    kind = Choice(*KINDS, named="TransferKind", load_default=None)
    since = Instant(data_key="from", load_default=None, metadata={"description": "Included."})
    until = Instant(data_key="to", load_default=None, metadata={"description": "Not included."})


class StatementSchema(Schema):
    """A page of a statement, oldest line first; both balances are those of the whole range, on every page."""

    opening_balance = fields.Integer(required=True)
    closing_balance = fields.Integer(required=True)
    items = fields.List(fields.Nested(LineSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
