"""The tables, one file for each noun, and the transaction helper.

Money is integer cents, quantities are whole shares; every amount is a `bigint`. The database itself states the
invariants: a balance never passes its limit, an order's quantities add up, every row points at one that exists.
"""

from models.account_counter import AccountCounter
from models.account_event import AccountEvent
from models.asset import CASH, Asset
from models.balance import Balance
from models.base import Base
from models.broker import Broker
from models.candle import Candle
from models.command import Command
from models.epoch import Epoch
from models.equity_point import EquityPoint
from models.event import Event
from models.external_reference import ExternalReference
from models.external_transfer import ExternalTransfer
from models.identity.admin_key import AdminKey
from models.identity.api_key import ApiKey
from models.identity.audit_entry import AuditEntry
from models.identity.user import User
from models.identity.user_session import UserSession
from models.indicative import Indicative
from models.lease import Lease
from models.market_session import MarketSession
from models.order import OPEN_STATUSES, Order
from models.reported_stock import ReportedStock
from models.stock import Stock
from models.trade import Trade
from models.transfer import Transfer

__all__ = [
    "CASH",
    "OPEN_STATUSES",
    "AccountCounter",
    "AccountEvent",
    "AdminKey",
    "ApiKey",
    "Asset",
    "AuditEntry",
    "Balance",
    "Base",
    "Broker",
    "Candle",
    "Command",
    "Epoch",
    "EquityPoint",
    "Event",
    "ExternalReference",
    "ExternalTransfer",
    "Indicative",
    "Lease",
    "MarketSession",
    "Order",
    "ReportedStock",
    "Stock",
    "Trade",
    "Transfer",
    "User",
    "UserSession",
]
