"""`minex simulate`: JSON lines in, JSON lines out, and LOBSTER files."""

import json
import random
import subprocess
import sys
from select import select

import pytest
from click.testing import CliRunner

from cli.commands.simulate import command
from settings.loading import ROOT
from tests.cli.order_flow.lobster_day import exchange_day


def simulate(*commands, options=()):
    """Run `commands`, each a dict or a raw line, and give the printed lines without their ends."""
    lines = [line if isinstance(line, str) else json.dumps(line) for line in commands]
    result = CliRunner().invoke(command, list(options), input="\n".join(lines) + "\n", catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def new(order_id, side, price, quantity, **more):
    return {"cmd": "new", "id": order_id, "side": side, "price": price, "quantity": quantity, **more}


def codes(*commands, options=()):
    """The code of each line, or the name of the event where it is no rejection."""
    events = [json.loads(line) for line in simulate(*commands, options=options)]
    return [event.get("code", event["event"]) for event in events]


def test_every_event_has_its_fields_in_order():
    assert simulate(
        new("a", "ask", 1000, 10, account="x"),
        new("b", "bid", 1001, 4, account="y"),
        new("c", "sell", 1000, 5),
        {"cmd": "amend", "id": "a", "quantity": 9},
        {"cmd": "amend", "id": "a", "price": 1002, "quantity": 12},
        {"cmd": "cancel", "id": "a"},
        {"cmd": "cancel", "id": "a"},
        new(7, "buy", 990, 1, expire_at=5),
        {"cmd": "clock", "now": 5},
        {"cmd": "new", "id": 8, "side": "sell", "type": "market", "quantity": 1},
        options=["--book"],
    ) == [
        '{"event":"accepted","id":"a"}',
        '{"event":"accepted","id":"b"}',
        '{"event":"trade","maker":"a","taker":"b","taker_side":"bid","price":1000,"quantity":4}',
        '{"event":"accepted","id":"c"}',
        '{"event":"amended","id":"a","price":1000,"quantity":9,"kept_priority":true}',
        '{"event":"amended","id":"a","price":1002,"quantity":12,"kept_priority":false}',
        '{"event":"cancelled","id":"a","quantity":8,"reason":"requested"}',
        '{"event":"rejected","id":"a","code":"unknown_order"}',
        '{"event":"accepted","id":7}',
        '{"event":"expired","id":7,"quantity":1}',
        '{"event":"accepted","id":8}',
        '{"event":"expired","id":8,"quantity":1}',
        '{"event":"book","bids":[],"asks":[[1000,5,["c"]]]}',
    ]


def test_stops_icebergs_states_and_auctions():
    assert simulate(
        {"cmd": "state", "state": "auction"},
        new("a", "ask", 1000, 30, display_quantity=10),
        new("b", "bid", 1000, 12),
        {"cmd": "uncross"},
        {"cmd": "state", "state": "open"},
        {"cmd": "new", "id": "c", "side": "bid", "type": "stop", "quantity": 2, "stop_price": 1005},
        new("d", "ask", 1010, 1),
        new("e", "bid", 1005, 4, type="stop_limit", stop_price=1010),
        new("f", "bid", 1010, 19),
        options=["--book"],
    ) == [
        '{"event":"state","state":"auction"}',
        '{"event":"accepted","id":"a"}',
        '{"event":"accepted","id":"b"}',
        '{"event":"indicative","price":1000,"volume":12,"surplus":-18}',
        '{"event":"trade","maker":"a","taker":"b","taker_side":"bid","price":1000,"quantity":12}',
        '{"event":"indicative","price":null,"volume":0,"surplus":0}',
        '{"event":"state","state":"open"}',
        '{"event":"accepted","id":"c"}',
        '{"event":"accepted","id":"d"}',
        '{"event":"accepted","id":"e"}',
        '{"event":"accepted","id":"f"}',
        '{"event":"trade","maker":"a","taker":"f","taker_side":"bid","price":1000,"quantity":10}',
        '{"event":"trade","maker":"a","taker":"f","taker_side":"bid","price":1000,"quantity":8}',
        '{"event":"trade","maker":"d","taker":"f","taker_side":"bid","price":1010,"quantity":1}',
        '{"event":"triggered","id":"c"}',
        '{"event":"expired","id":"c","quantity":2}',
        '{"event":"triggered","id":"e"}',
        '{"event":"book","bids":[[1005,4,["e"]]],"asks":[]}',
    ]


def test_a_volatility_auction():
    lines = simulate(
        new("a", "ask", 1030, 1),
        new("b", "bid", 1030, 1),
        options=["--dynamic-band-bps", "200", "--reference", "1000", "--book"],
    )
    assert lines[2:] == [
        '{"event":"state","state":"auction"}',
        '{"event":"indicative","price":1030,"volume":1,"surplus":0}',
        '{"event":"book","bids":[[1030,1,["b"]]],"asks":[[1030,1,["a"]]]}',
    ]


def test_the_book_shows_what_icebergs_hide():
    lines = simulate(new("a", "bid", 1000, 30, display_quantity=10), new("b", "bid", 1000, 5), options=["--book"])
    assert lines[-1] == '{"event":"book","bids":[[1000,35,["a","b"]]],"asks":[]}'


def test_the_book_has_every_level_with_its_orders_in_priority_order():
    lines = simulate(
        new("a", "bid", 990, 3),
        new("b", "bid", 1000, 1),
        new("c", "bid", 990, 4),
        new("d", "ask", 1001, 5),
        new("e", "ask", 1003, 6),
        options=["--book"],
    )
    assert (
        lines[-1] == '{"event":"book","bids":[[1000,1,["b"]],[990,7,["a","c"]]],"asks":[[1001,5,["d"]],[1003,6,["e"]]]}'
    )


def test_nothing_in_nothing_out():
    result = CliRunner().invoke(command, [], input="")
    assert (result.exit_code, result.stdout) == (0, "")
    assert simulate(options=["--book"]) == ['{"event":"book","bids":[],"asks":[]}']


def test_commands_can_come_from_a_file_and_blank_lines_do_not_count(tmp_path):
    path = tmp_path / "commands.jsonl"
    path.write_text(json.dumps(new(1, "bid", 10, 1)) + "\n\n   \n" + json.dumps({"cmd": "cancel", "id": 1}))
    result = CliRunner().invoke(command, [str(path)])
    assert result.stdout.splitlines() == [
        '{"event":"accepted","id":1}',
        '{"event":"cancelled","id":1,"quantity":1,"reason":"requested"}',
    ]


def test_rules_are_options():
    assert codes(new(1, "bid", 1001, 1), options=["--tick", "5"]) == ["off_tick"]
    assert codes(new(1, "bid", 1000, 150), options=["--lot", "100"]) == ["off_lot"]
    band = ["--band-bps", "1000", "--reference", "1000"]
    assert codes(new(1, "bid", 899, 1), new(2, "bid", 900, 1), options=band) == ["price_outside_band", "accepted"]
    crossing = (new(1, "bid", 1000, 1), new(2, "ask", 990, 1))
    assert '"price":1000,' in simulate(*crossing)[-1]
    assert '"price":990,' in simulate(*crossing, options=["--execution-price", "seller"])[-1]


def test_sides_have_two_names():
    orders = [new(1, "bid", 10, 1), new(2, "buy", 10, 1), new(3, "ask", 11, 1), new(4, "sell", 11, 1)]
    assert simulate(*orders, options=["--book"])[-1] == '{"event":"book","bids":[[10,2,[1,2]]],"asks":[[11,2,[3,4]]]}'


def test_self_trades_are_prevented_unless_told_otherwise():
    own = (new(1, "bid", 1000, 2, account="x"), new(2, "ask", 1000, 1, account="x"))
    assert simulate(*own)[-1] == '{"event":"cancelled","id":1,"quantity":2,"reason":"self_trade_prevention"}'
    assert codes(*own, options=["--stp", "none"])[-1] == "trade"
    assert simulate(*own, options=["--stp", "decrement"])[-2:] == [
        '{"event":"cancelled","id":1,"quantity":1,"reason":"self_trade_prevention"}',
        '{"event":"cancelled","id":2,"quantity":1,"reason":"self_trade_prevention"}',
    ]
    nobody = (new(1, "bid", 1000, 2), new(2, "ask", 1000, 1, account=None))
    assert codes(*nobody)[-1] == "trade"
    assert codes(own[0], new(2, "ask", 1000, 1, account="x", stp="none"))[-1] == "trade"


def test_an_id_is_used_once_for_ever():
    assert codes(
        new("a", "bid", 1000, 1),
        new("a", "bid", 1000, 1),
        {"cmd": "cancel", "id": "a"},
        new("a", "bid", 1000, 1),
        new("b", "bid", 0, 1),
        new("b", "bid", 1000, 1),
        new(1, "bid", 1000, 1),
        new("1", "bid", 1000, 1),
    ) == [
        "accepted",
        "duplicate_id",
        "cancelled",
        "duplicate_id",
        "invalid_price",
        "duplicate_id",
        "accepted",
        "accepted",
    ]


GOOD = new("a", "bid", 1000, 1)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({}, "unknown_command"),
        ({"cmd": "nwe", "id": "a"}, "unknown_command"),
        ({"cmd": 5}, "unknown_command"),
        ({"cmd": ["new"]}, "unknown_command"),
        ({"cmd": "state"}, "invalid_state"),
        ({"cmd": "state", "state": "asleep"}, "invalid_state"),
        ({"cmd": "state", "state": 7}, "invalid_state"),
        ({"cmd": "uncross"}, "no_auction"),
        ({"cmd": "cancel"}, "invalid_id"),
        ({"cmd": "amend", "id": None}, "invalid_id"),
        ({"cmd": "cancel", "id": 1.5}, "invalid_id"),
        ({"cmd": "cancel", "id": True}, "invalid_id"),
        ({"cmd": "clock"}, "invalid_now"),
        ({"cmd": "clock", "now": True}, "invalid_now"),
        ({"cmd": "clock", "now": "5"}, "invalid_now"),
        ({**GOOD, "id": ["a"]}, "invalid_id"),
        ({**GOOD, "account": True}, "invalid_account"),
        ({**GOOD, "account": {"x": 1}}, "invalid_account"),
        ({**GOOD, "side": "short"}, "invalid_side"),
        ({**GOOD, "side": None}, "invalid_side"),
        ({**GOOD, "side": 1}, "invalid_side"),
        ({**GOOD, "type": 1}, "invalid_type"),
        ({**GOOD, "type": "pegged"}, "unsupported"),
        ({**GOOD, "type": "stop"}, "invalid_price"),
        ({**GOOD, "type": "stop_limit"}, "invalid_stop_price"),
        ({**GOOD, "type": "stop_limit", "stop_price": "1000"}, "invalid_stop_price"),
        ({**GOOD, "type": "market"}, "invalid_price"),
        ({**GOOD, "price": None}, "invalid_price"),
        ({**GOOD, "price": True}, "invalid_price"),
        ({**GOOD, "price": 1000.0}, "invalid_price"),
        ({**GOOD, "price": "1000"}, "invalid_price"),
        ({**GOOD, "price": 2**53 + 1}, "invalid_price"),
        ({**GOOD, "price": -1}, "invalid_price"),
        ({**GOOD, "quantity": None}, "invalid_quantity"),
        ({**GOOD, "quantity": False}, "invalid_quantity"),
        ({**GOOD, "quantity": 0}, "invalid_quantity"),
        ({**GOOD, "quantity": 1.0}, "invalid_quantity"),
        ({**GOOD, "tif": 1}, "invalid_tif"),
        ({**GOOD, "tif": "gtx"}, "unsupported"),
        ({**GOOD, "tif": "gtd"}, "invalid_expire_at"),
        ({**GOOD, "expire_at": "soon"}, "invalid_expire_at"),
        ({**GOOD, "stp": "all"}, "invalid_stp"),
        ({**GOOD, "stp": ["none"]}, "invalid_stp"),
        ({**GOOD, "post_only": 1}, "invalid_post_only"),
        ({**GOOD, "post_only": True, "tif": "ioc"}, "invalid_post_only"),
        ({**GOOD, "stop_price": 1000}, "invalid_stop_price"),
        ({**GOOD, "display_quantity": 2}, "invalid_display_quantity"),
        ({**GOOD, "display_quantity": 0.5}, "invalid_display_quantity"),
    ],
)
def test_an_object_that_is_no_command_is_rejected_and_the_rest_goes_on(wrong, code):
    order_id = wrong.get("id")
    told = order_id if isinstance(order_id, str) else None
    lines = simulate(wrong, new("next", "bid", 1000, 1))
    assert [json.loads(line) for line in lines] == [
        {"event": "rejected", "id": told, "code": code},
        {"event": "accepted", "id": "next"},
    ]


@pytest.mark.parametrize("field", ["price", "quantity", "expire_at"])
def test_an_amendment_with_a_wrong_field_is_rejected(field):
    assert codes(GOOD, {"cmd": "amend", "id": "a", field: True})[-1] == f"invalid_{field}"


def test_numbers_reach_as_far_as_every_json_reader():
    assert codes({**GOOD, "price": 2**53, "quantity": 2**53, "expire_at": 2**53}) == ["accepted"]


def test_null_is_as_good_as_absent():
    fields = ("account", "type", "tif", "expire_at", "stop_price", "display_quantity", "post_only", "stp", "now")
    assert codes({**GOOD, **dict.fromkeys(fields)}) == ["accepted"]
    assert codes(GOOD, {"cmd": "cancel", "id": "a", "price": None, "valid_until": None}) == ["accepted", "cancelled"]
    amended = simulate(GOOD, {"cmd": "amend", "id": "a", "price": None, "quantity": None})[-1]
    assert amended == '{"event":"amended","id":"a","price":1000,"quantity":1,"kept_priority":true}'


def complaint(line):
    """What is said on stderr of a lone command, which must be rejected, and the code that it is rejected with."""
    result = CliRunner().invoke(command, [], input=line if isinstance(line, str) else json.dumps(line))
    assert result.exit_code == 0
    (event,) = map(json.loads, result.stdout.splitlines())
    assert list(event) == ["event", "id", "code"]
    return event["code"], result.stderr.removeprefix("minex simulate: line 1: ").rstrip("\n")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({**GOOD, "post_onyl": True}, "'new' has no field 'post_onyl'; did you mean 'post_only'?"),
        ({**GOOD, "post_onyl": None}, "'new' has no field 'post_onyl'; did you mean 'post_only'?"),
        ({**GOOD, "order_typ": "limit"}, "'new' has no field 'order_typ'; did you mean 'order_type'?"),
        ({**GOOD, "colour": "red"}, "'new' has no field 'colour'"),
        ({**GOOD, "now": 5}, "'new' has no field 'now'"),
        ({"cmd": "cancel", "id": "a", "quantity": 5}, "'cancel' has no field 'quantity'"),
        ({"cmd": "amend", "id": "a", "prise": 5}, "'amend' has no field 'prise'; did you mean 'price'?"),
        ({"cmd": "clock", "nwo": 5}, "'clock' has no field 'nwo'; did you mean 'now'?"),
        ({"cmd": "uncross", "now": 5}, "'uncross' has no field 'now'"),
    ],
)
def test_an_unknown_field_is_refused_and_named(wrong, said):
    assert complaint(wrong) == ("unknown_field", said)


def test_an_unknown_command_is_named():
    known = "new, cancel, amend, state, uncross, roll, clock"
    assert complaint({"cmd": "cancle"}) == ("unknown_command", "there is no command 'cancle'; did you mean 'cancel'?")
    assert complaint({"cdm": "new"}) == ("unknown_command", f"there is no command None; there are {known}")


def test_the_names_of_rest_are_understood():
    order = {"document_number": "1", "side": "bid", "order_type": "limit", "price": 1000, "quantity": 5}
    assert simulate(
        {"cmd": "new", "client_order_id": "a", **order, "time_in_force": "gtd", "valid_until": 9},
        {"cmd": "new", "order_id": "b", **order, "side": "ask", "self_trade_prevention": "cancel_incoming"},
        {"cmd": "amend", "order_id": "a", "valid_until": 8},
        {"cmd": "clock", "now": 8},
        {"cmd": "new", "order_id": "c", **order, "order_type": "market", "price": None, "time_in_force": "fok"},
    ) == [
        '{"event":"accepted","id":"a"}',
        '{"event":"accepted","id":"b"}',
        '{"event":"cancelled","id":"b","quantity":5,"reason":"self_trade_prevention"}',
        '{"event":"amended","id":"a","price":1000,"quantity":5,"kept_priority":true}',
        '{"event":"expired","id":"a","quantity":5}',
        '{"event":"accepted","id":"c"}',
        '{"event":"expired","id":"c","quantity":5}',
    ]
    assert codes({**GOOD, "time_in_force": "gtx"}, {**GOOD, "id": 2, "valid_until": "soon"}) == [
        "unsupported",
        "invalid_expire_at",
    ]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("id", "order_id"),
        ("id", "client_order_id"),
        ("account", "document_number"),
        ("type", "order_type"),
        ("tif", "time_in_force"),
        ("expire_at", "valid_until"),
        ("stp", "self_trade_prevention"),
        ("price", "price"),
    ],
)
def test_a_field_is_given_once(name, other):
    fields = {"cmd": "new", "id": "a", "side": "bid", "price": 1, "quantity": 1} | {name: 1}
    line = json.dumps(fields)[:-1] + f",{json.dumps(other)}:1}}"
    assert complaint(line) == ("duplicate_field", f"{name!r} and {other!r} say the same: give one, and once")


def test_fill_or_kill_and_post_only():
    resting = new(1, "ask", 1000, 5)
    assert codes(resting, new(2, "bid", 1000, 6, tif="fok"))[1:] == ["accepted", "expired"]
    assert codes(resting, new(2, "bid", 1000, 5, tif="fok"))[1:] == ["accepted", "trade"]
    assert codes(resting, new(2, "bid", 1000, 5, post_only=True))[1:] == ["post_only_would_take"]
    assert codes(resting, new(2, "bid", 999, 5, post_only=True))[1:] == ["accepted"]


def test_the_clock_does_not_go_back_and_an_amendment_can_move_the_end():
    clock = {"cmd": "clock", "now": 10}
    assert codes(clock, {"cmd": "clock", "now": 5}, new(1, "bid", 10, 1, expire_at=10)) == ["accepted", "expired"]
    order = new(1, "bid", 10, 1, expire_at=10)
    later = {"cmd": "amend", "id": 1, "expire_at": 11}
    assert codes(order, later, clock) == ["accepted", "amended"]
    assert codes(order, later, {"cmd": "clock", "now": 11}) == ["accepted", "amended", "expired"]
    assert codes(order, {**later, "expire_at": None}, {"cmd": "clock", "now": 11}) == ["accepted", "amended"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"cmd":"new"', "line 2 is not JSON"),
        ("[1]", "line 2 is not a JSON object"),
        ("7", "line 2 is not a JSON object"),
        ("\udcff\udcfe", "line 2 is not JSON"),
        ("9" * 5000, "line 2 is not JSON"),
        ("[" * 100_000, "line 2 is not JSON"),
    ],
)
def test_what_is_not_a_json_object_ends_the_run_after_what_went_before(line, why):
    given = (json.dumps(GOOD) + "\n" + line + "\n" + json.dumps(new("b", "bid", 1, 1)) + "\n").encode(
        errors="surrogateescape"
    )
    result = CliRunner().invoke(command, ["--book"], input=given)
    assert result.exit_code == 2
    assert result.stdout == '{"event":"accepted","id":"a"}\n'
    assert result.stderr.startswith(f"minex simulate: {why}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [["--tick", "0"], ["--stp", "all"], ["--band-bps", "10000"], ["no-such-file"]])
def test_wrong_options_are_refused(options):
    result = CliRunner().invoke(command, options, input="")
    assert result.exit_code == 2
    assert result.stderr


def random_commands(seed, count):
    choose = random.Random(seed)
    for number in range(count):
        kind = choose.random()
        some_id = f"order-{choose.randint(0, number)}"
        if kind < 0.7:
            price, quantity = choose.randint(990, 1010), choose.randint(1, 50)
            account = choose.choice(["x", "y", "z", None])
            side = choose.choice(["bid", "ask"])
            yield new(
                f"order-{number}", side, price, quantity, account=account, expire_at=choose.choice([None, number])
            )
        elif kind < 0.8:
            yield {"cmd": "cancel", "id": some_id}
        elif kind < 0.95:
            yield {"cmd": "amend", "id": some_id, "price": choose.randint(990, 1010)}
        else:
            yield {"cmd": "clock", "now": number // 2}


def test_the_same_input_gives_the_same_bytes():
    """In processes of their own, with hash seeds of their own: nothing hangs on the order of a set."""
    given = "".join(json.dumps(fields) + "\n" for fields in random_commands(7, 2000)).encode()
    program = "from cli.commands.simulate import command; command()"
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program, "--book", "--band-bps", "500"],
            input=given,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "31337")
    ]
    assert outputs[0] == outputs[1] == outputs[2]
    assert outputs[0].count(b'"event":"trade"') > 200


def test_whoever_sends_one_command_at_a_time_is_answered_at_once():
    program = "from cli.commands.simulate import command; command()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as process:
        for number in range(3):
            process.stdin.write(json.dumps(new(number, "bid", 1000, 1)).encode() + b"\n")
            answered, _, _ = select([process.stdout], [], [], 30)
            assert answered
            assert process.stdout.readline() == f'{{"event":"accepted","id":{number}}}\n'.encode()


LOBSTER = """\
34200.01,1,50,100,1000000,1
34200.02,1,51,30,1000000,1
34200.03,4,50,40,1000000,1
34200.04,2,50,10,1000000,1
34200.05,4,7,25,1001000,-1
34200.06,2,7,5,1001000,-1
34200.07,3,7,20,1001000,-1
34200.08,5,0,10,1000500,1
34200.09,7,0,0,-1,-1
34200.10,4,3,15,1001000,-1
34200.11,4,50,50,1000000,1
34200.12,3,51,30,1000000,1
34200.13,1,60,5,1000199,-1
34200.14,3,20,5,990000,1
"""


def run_lobster(tmp_path, text, *options):
    path = tmp_path / "messages.csv"
    path.write_text(text)
    return CliRunner().invoke(command, ["--lobster", str(path), *options])


def test_a_lobster_file_becomes_commands(tmp_path):
    result = run_lobster(tmp_path, LOBSTER, "--book")
    assert result.stdout.splitlines() == [
        # 3, 7 and 20 are older than the first entry, as large as all that is taken from them
        '{"event":"accepted","id":3}',
        '{"event":"accepted","id":7}',
        '{"event":"accepted","id":20}',
        '{"event":"accepted","id":50}',
        '{"event":"accepted","id":51}',
        '{"event":"accepted","id":"t1"}',
        '{"event":"trade","maker":50,"taker":"t1","taker_side":"ask","price":10000,"quantity":40}',
        '{"event":"amended","id":50,"price":10000,"quantity":90,"kept_priority":true}',
        '{"event":"accepted","id":"t2"}',
        # 3 has the smaller id, so it was there first: the file says 7, and the report tells of it
        '{"event":"trade","maker":3,"taker":"t2","taker_side":"bid","price":10010,"quantity":15}',
        '{"event":"trade","maker":7,"taker":"t2","taker_side":"bid","price":10010,"quantity":10}',
        '{"event":"amended","id":7,"price":10010,"quantity":45,"kept_priority":true}',
        '{"event":"cancelled","id":7,"quantity":35,"reason":"requested"}',
        '{"event":"accepted","id":"t3"}',
        '{"event":"expired","id":"t3","quantity":15}',
        '{"event":"accepted","id":"t4"}',
        '{"event":"trade","maker":50,"taker":"t4","taker_side":"ask","price":10000,"quantity":50}',
        '{"event":"cancelled","id":51,"quantity":30,"reason":"requested"}',
        '{"event":"cancelled","id":20,"quantity":5,"reason":"requested"}',
        # 60 is never heard of again: nothing of it enters
        '{"event":"book","bids":[],"asks":[]}',
    ]
    assert result.stderr == "2 of 4 executions hit the same order at the same price for the same quantity\n"


@pytest.mark.parametrize("seed", range(3))
def test_every_execution_hits_the_same_order(tmp_path, seed):
    """A day that begins in the middle: the executions it tells of happen here, order by order."""
    day = exchange_day(seed)
    executions = sum(line.split(",")[1] == "4" for line in day.splitlines())
    result = run_lobster(tmp_path, day)
    assert result.exit_code == 0
    assert executions > 400
    assert result.stderr.startswith(f"{executions} of {executions} executions")
    assert '"rejected"' not in result.stdout


def test_a_line_that_is_no_lobster_message_is_named(tmp_path):
    result = run_lobster(tmp_path, LOBSTER + "x,y\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "messages.csv: line 15: 2 columns" in result.stderr


def test_a_lobster_file_and_a_command_file_do_not_go_together(tmp_path):
    result = run_lobster(tmp_path, LOBSTER, str(tmp_path / "messages.csv"))
    assert result.exit_code == 2
    assert "not both" in result.stderr
