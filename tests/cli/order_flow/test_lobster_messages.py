"""Given a LOBSTER file as it may be found, when it is read, then its messages are there, or it says what is wrong."""

import gzip

import pytest

from cli.order_flow.lobster_messages import BadMessage, Message, read_file, read_messages

LINES = "34200.1,1,50,100,1000000,1\n34200.2,4,50,40,1000000,1\n"
MESSAGES = [Message(1, 50, 100, 10_000, 1), Message(4, 50, 40, 10_000, 1)]


def read(tmp_path, content):
    path = tmp_path / "messages.csv"
    path.write_bytes(content)
    return read_file(path)


@pytest.mark.parametrize(
    "header",
    [
        "Time,Type,OrderId,Size,Price,Direction\n",
        "time,event_type,order_id,shares,price,direction,mpid\n",
        "\n  \nTime (sec),Event Type,Order ID,Volume,Price,Trade Direction\n",
        '"Time","Type","Order ID","Size","Price","Direction"\r\n',
        "\ufeffTime,Type,OrderID,Size,Price,Side\n",
    ],
)
def test_a_line_of_column_names_is_read(tmp_path, header):
    assert read(tmp_path, (header + LINES).encode()) == MESSAGES


@pytest.mark.parametrize("more", [",null", ",null,null", ",NITE", ","])
def test_further_columns_say_nothing(more):
    assert read_messages(line + more for line in LINES.splitlines()) == MESSAGES


def test_what_says_nothing_of_the_visible_book_may_leave_columns_out():
    other = [
        "34200.3,5,0,1,1000050,1",
        "34200.4,6,null,100,1000000,null",
        "34200.5,7,0,0,-1,-1",
        "34200.6,7,null,,,null",
    ]
    assert read_messages([*LINES.splitlines(), *other]) == MESSAGES


def test_a_compressed_file_is_read_whatever_its_name(tmp_path):
    assert read(tmp_path, gzip.compress(LINES.encode())) == MESSAGES


def test_prices_become_cents():
    assert read_messages(["1,1,60,5,1000199,-1"]) == [Message(1, 60, 5, 10_001, -1)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("34200.01,1,50,100,1000000", "5 columns: a line is time, type, order id, shares, price, direction"),
        ("x,y", "2 columns"),
        ("0,8,1,1,100,1", "there is no message type 8"),
        ("0,null,1,1,100,1", "type: 'null' is not a whole number"),
        ("0,4,null,1,100,1", "order id: 'null' is not a whole number"),
        ("0,1,1,,100,1", "shares: '' is not a whole number"),
        ("0,1,1,1,100.5,1", "price: '100.5' is not a whole number"),
        (f"0,1,{'9' * 5000},1,100,1", "order id: '9999"),
        ("0,1,1,0,100,1", "the direction is 1 or -1, shares are positive, a price is at least a cent"),
        ("0,1,1,1,99,1", "a price is at least a cent"),
        ("0,1,1,1,100,0", "the direction is 1 or -1"),
        ("Time,Type,OrderId,Size,Price,Direction", "type: 'Type' is not a whole number"),
    ],
)
def test_a_line_that_is_no_message_is_named(line, why):
    with pytest.raises(BadMessage) as refused:
        read_messages([*LINES.splitlines(), line])
    assert str(refused.value).startswith("line 3: ")
    assert why in str(refused.value)
    assert len(str(refused.value)) < 160


@pytest.mark.parametrize(
    "header", ["Time,OrderId,Type,Size,Price,Direction", ",Time,Type,OrderId,Size,Price,Direction"]
)
def test_columns_in_another_order_are_refused(header):
    with pytest.raises(BadMessage, match=r"^line 1: the column '.*' stands where the t.* should: a line is time, type"):
        read_messages([header, *LINES.splitlines()])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe1\x00", "it is neither text nor compressed by gzip"),
        (gzip.compress(LINES.encode() * 1000)[:-20], "it cannot be read: "),
        (b"\x1f\x8b\x08\x00 rubbish", "it cannot be read: "),
        (gzip.compress(LINES.encode())[:-8] + bytes(8), "it cannot be read: CRC"),
    ],
    ids=["another encoding", "cut short", "rubbish", "wrong sum"],
)
def test_a_file_that_cannot_be_read_says_so(tmp_path, content, why):
    with pytest.raises(BadMessage) as refused:
        read(tmp_path, content)
    assert why in str(refused.value)
