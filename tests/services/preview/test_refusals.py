"""Given what the book refuses of an order, then a preview has an answer for it, whatever it is."""

import pytest

from engine.terms.codes import MESSAGES, NOT_AMENDABLE, POST_ONLY_WOULD_TAKE
from services.preview.refusals import rejection


def test_what_entry_cannot_know_has_a_refusal_of_its_own():
    assert rejection(POST_ONLY_WOULD_TAKE).code() == "post_only_would_take"


@pytest.mark.parametrize("code", [NOT_AMENDABLE, *MESSAGES])
def test_anything_else_says_which_it_is(code):
    refusal = rejection(code)
    assert refusal.code() == code or (refusal.code(), refusal.facts) == ("would_be_rejected", {"reason": code})
    assert refusal.detail
