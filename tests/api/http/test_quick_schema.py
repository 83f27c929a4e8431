"""Given a body of any kind, when it takes the short way through its schema, then it is what marshmallow makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import RAISE, ValidationError, fields

from api.http.fields import Whole
from api.http.quick_schema import NOT_QUICK, QuickSchema
from api.http.strict_json import REPEATED
from api.trading.new_order_schemas import NewOrderSchema

SCHEMA = NewOrderSchema()
ORDER: dict[str, Any] = {"document_number": "1", "side": "bid", "symbol": "PETR4", "quantity": 10, "price": 3_500}

PLAIN = {
    "a limit order": {},
    "buys": {"side": "buy", "symbol": "petr4"},
    "with an id": {"client_order_id": "2026/1"},
    "said to be what it is": {"order_type": "limit", "time_in_force": "gtc", "post_only": False},
    "nothing said": {"time_in_force": None, "valid_until": None, "client_order_id": None, "post_only": None},
    "a market order": {"order_type": "market", "price": None},
    "a stop": {"order_type": "stop", "price": None, "stop_price": 3_400},
    "an iceberg": {"display_quantity": 5},
    "until some time": {"valid_until": "2027-01-01T00:00:00-03:00"},
}


@pytest.mark.parametrize("more", PLAIN.values(), ids=PLAIN)
def test_orders_with_nothing_wrong_take_it(more: dict[str, Any]) -> None:
    quick = SCHEMA.quickly(ORDER | more)
    assert quick is not NOT_QUICK
    assert quick == SCHEMA.load(ORDER | more)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from(
        [10**15, 2**53, 10**30, 1.0, REPEATED, "", " ", "x" * 70, "petr4", "P TR4", "\u0661", "\ud800", [], {}]
    ),
    st.sampled_from(
        ["bid", "sell", "limit", "market", "stop", "stop_limit", "gtc", "gtd", "ioc", "day", "fok", "newest"]
    ),
    st.sampled_from(["2027-01-01T00:00:00Z", "2027-13-01T00:00:00Z", "2027-01-01", "0001-01-01T00:00:00Z"]),
    st.text(max_size=4),
)
CHANGES = st.dictionaries(
    st.one_of(st.sampled_from([*SCHEMA.fields]), st.sampled_from(["unknown", ""])), VALUES, max_size=4
)


@settings(max_examples=600, deadline=None)
@given(CHANGES, st.sets(st.sampled_from([*ORDER]), max_size=1))
def test_whatever_takes_it_is_what_marshmallow_loads(changes: dict[str, Any], left_out: set[str]) -> None:
    document = {name: value for name, value in (ORDER | changes).items() if name not in left_out}
    quick = SCHEMA.quickly(document)
    try:
        loaded = SCHEMA.load(document, unknown=RAISE)
    except ValidationError:
        assert quick is NOT_QUICK
    else:
        assert quick == loaded
        assert quick.fingerprint == loaded.fingerprint


class Lax(QuickSchema):
    number = fields.Integer()


class Validated(QuickSchema):
    number = Whole(validate=lambda value: value > 3)


@pytest.mark.parametrize("schema", [Lax, Validated])
def test_a_schema_of_which_marshmallow_does_more_has_none(schema: type[QuickSchema]) -> None:
    with pytest.raises(TypeError, match="number"):
        schema()
