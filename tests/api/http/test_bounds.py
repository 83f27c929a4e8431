"""Nothing that somebody sends is answered by more than he sent, or read for longer than others can wait."""

from __future__ import annotations

import pytest

from api.http.problems import MORE, MOST_ERRORS, InvalidRequest, bounded
from api.http.strict_json import MOST_BRACKETS, parse_object


def test_a_few_errors_are_all_named() -> None:
    errors = {f"field{n}": ["Wrong."] for n in range(MOST_ERRORS)}
    assert InvalidRequest(errors=errors).errors == errors


def test_of_many_errors_the_first_are_named_and_the_rest_counted() -> None:
    errors = {f"field{n}": ["Wrong."] for n in range(MOST_ERRORS + 5)}
    told = InvalidRequest(errors=errors)
    assert list(told.errors) == [*list(errors)[:MOST_ERRORS], MORE]
    assert told.errors[MORE] == ["And 5 more."]
    assert "20 more" in told.detail


def test_a_long_name_is_cut() -> None:
    assert list(bounded({"n" * 100_000: ["Unknown field."]})) == ["n" * 64]


@pytest.mark.parametrize("piece", [b"[]", b"{}"])
def test_a_body_of_brackets_is_refused_before_it_is_read(piece: bytes) -> None:
    body = b'{"orders":[' + b",".join([piece] * MOST_BRACKETS) + b"]}"
    with pytest.raises(InvalidRequest, match="too many"):
        parse_object(body)


LONG = b'"' + b"x" * 5_000 + b'"'

STRANGE = [
    b'{"a":1,"a":2,"b":%s}',
    b'{"a":{"c":1,"c":2},"b":%s}',
    b'{"a":1 , "a"\t:\n2,"b":%s}',
    b'{"a":NaN,"b":%s}',
    b'{"a":12345678901234567890123,"b":%s}',
    b'{"a":1234567890123456789,"b":%s}',
    b'{"a":-12345678901234567890123,"b":%s}',
    b'{"a":"\\ud800","b":%s}',
    b'{"\\ud800":1,"b":%s}',
    b'{"a\\"":1,"a\\"":2,"b":%s}',
    b'{"a\\\\":1,"a\\\\":2,"b":%s}',
    b'{"a":1e400,"b":%s}',
    b'{"a":-0,"b":%s}',
    b'{"a":1.0,"b":%s}',
    b'{"a":"\\":","b":%s}',
    b'{"a":1,"a":"\\":","b":%s}',
    b'{"a" : {"c" \n:1},"a":2,"b":%s}',
    b'{"a":[12345678901234567,-12345678901234567,1.2345678901234567,1e0000000000000000001],"b":%s}',
    b'{"a":1E0000000000000000400,"b":%s}',
    b'{"a":"\xff","b":%s}',
    b'{"a":' + b"[" * 2_000 + b"]" * 2_000 + b',"b":%s}',
    b'[{"a":1},%s]',
    b'{"a":1,"b":%s',
    b'{"a":01,"b":%s}',
    b'{"a":1,}%s',
    b'\xef\xbb\xbf{"a":1,"b":%s}',
]


@pytest.mark.parametrize("filler", [LONG, b"1", b'"x"'], ids=["large", "small", "a text"])
@pytest.mark.parametrize("body", STRANGE)
def test_the_quick_way_through_a_body_reads_what_the_slow_one_does(
    body: bytes, filler: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read() -> object:
        try:
            document = parse_object(body % filler)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is to be the same
            return type(error), str(error)
        return {name: (type(value), value) for name, value in document.items()}

    quick = read()
    monkeypatch.setattr("api.http.strict_json._plain", lambda body: None)
    assert quick == read()


def test_a_plain_body_is_read_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("json.loads", lambda *_, **__: pytest.fail("the slow way"))
    body = b'{"a" : {"b":[{"c":1.5},{"c":"\\u00e9:"}]},"id":"12345678901234567890","d":%s}' % LONG
    expected = {"a": {"b": [{"c": 1.5}, {"c": "é:"}]}, "id": "12345678901234567890", "d": "x" * 5_000}
    assert parse_object(body) == expected
