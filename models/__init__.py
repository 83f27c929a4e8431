"""The tables, one file for each noun.

Money is integer cents, quantities are whole shares; every amount is a `bigint`. The database itself states the
invariants: a balance never passes its limit, an order's quantities add up, every row points at one that exists.
"""

from models.accounts.account_counter import AccountCounter
from models.accounts.account_event import AccountEvent
from models.accounts.asset import CASH, Asset
from models.accounts.balance import Balance
from models.accounts.broker import Broker
from models.accounts.equity_point import EquityPoint
from models.accounts.external_reference import ExternalReference
from models.accounts.external_transfer import ExternalTransfer
from models.accounts.transfer import Transfer
from models.base import Base
from models.clearing.bust import Bust
from models.clearing.judged_stock import JudgedStock
from models.clearing.position_point import PositionPoint
from models.clearing.receivable_entry import ReceivableEntry
from models.clearing.verdict import Verdict
from models.command import Command
from models.epoch import Epoch
from models.identity.admin_key import AdminKey
from models.identity.api_key import ApiKey
from models.identity.audit_entry import AuditEntry
from models.identity.user import User
from models.identity.user_session import UserSession
from models.lease import Lease
from models.market.book_checkpoint import BookCheckpoint
from models.market.candle import Candle
from models.market.event import Event
from models.market.indicative import Indicative
from models.market.market_session import MarketSession
from models.market.reported_stock import ReportedStock
from models.market.stock import Stock
from models.market.trade import Trade
from models.order import OPEN_STATUSES, Order
from models.webhooks.webhook import Webhook
from models.webhooks.webhook_changes import WebhookChanges
from models.webhooks.webhook_delivery import WebhookDelivery
from models.webhooks.webhook_endpoint import WebhookEndpoint

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
    "BookCheckpoint",
    "Broker",
    "Bust",
    "Candle",
    "Command",
    "Epoch",
    "EquityPoint",
    "Event",
    "ExternalReference",
    "ExternalTransfer",
    "Indicative",
    "JudgedStock",
    "Lease",
    "MarketSession",
    "Order",
    "PositionPoint",
    "ReceivableEntry",
    "ReportedStock",
    "Stock",
    "Trade",
    "Transfer",
    "User",
    "UserSession",
    "Verdict",
    "Webhook",
    "WebhookChanges",
    "WebhookDelivery",
    "WebhookEndpoint",
]
