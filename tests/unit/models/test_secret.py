import copy
import json
import pickle
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.scripted import CountingEntropy
from zendesk_oauth.models.secret import (
    OneUseSecret,
    Secret,
    base64url,
    derive,
    fingerprint,
    new_install_id,
    new_secret,
    same,
)

CANARY = Secret("canary")


@dataclass(frozen=True)
class Holder:
    """Something that holds a secret."""

    secret: Secret


def test_a_secret_does_not_print() -> None:
    """Not by itself, not in what holds it, not in a format."""
    shown = [repr(CANARY), str(CANARY), f"{CANARY}", f"{CANARY!r:>40}", repr([CANARY]), repr(Holder(CANARY))]
    assert not [text for text in shown if "canary" in text]
    assert "canary" not in f"{CANARY}"


def test_a_secret_is_not_serialised() -> None:
    """Pickles, copies and JSON refuse it."""
    for serialise in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            serialise(CANARY)


def test_a_secret_shows_itself_to_reveal_alone() -> None:
    """It has no other way out, and takes no attribute."""
    assert CANARY.reveal() == "canary"
    assert not hasattr(CANARY, "__dict__")


def test_secrets_are_compared_by_their_text() -> None:
    """With each other only: the text itself is not equal to its secret."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("é") == Secret("é")
    assert len({Secret("a"), Secret("a")}) == 1


def test_an_empty_secret_is_false() -> None:
    """So that a missing one is seen."""
    assert not Secret("")
    assert Secret("0")


def test_fresh_secrets_have_their_length() -> None:
    """256 bits in 43 characters, 128 bits in 22, all of base64url."""
    entropy = CountingEntropy()
    assert len(new_secret(entropy).reveal()) == 43
    assert len(new_install_id(entropy)) == 22
    assert base64url(b"\xff\xfe\xfd\xfc") == "__79_A"


def test_a_fingerprint_is_a_hash() -> None:
    """What the table holds is SHA-256 in hex."""
    assert fingerprint(Secret("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [("a", "a", True), ("a", "b", False), (None, "a", False), ("a", None, False), (None, None, False)],
)
def test_an_absent_fingerprint_equals_nothing(left: str | None, right: str | None, *, equal: bool) -> None:
    """Not even another absent one."""
    assert same(left, right) is equal


@pytest.mark.parametrize(
    ("left", "right", "equal"), [("é", "é", True), ("é", "e", False), ("\ud800", "é", False)]
)
def test_texts_of_any_alphabet_are_compared(left: str, right: str, *, equal: bool) -> None:
    """A company may name its users as it likes, and a stranger may send half a character."""
    assert same(left, right) is equal


def test_derived_secrets_differ_by_all_they_come_from() -> None:
    """Key, purpose and message each count; the same three give the same."""
    derived = [
        derive(Secret(key), purpose, message).reveal()
        for key in ("k", "l")
        for purpose in ("p", "q")
        for message in ("m", "n")
    ]
    assert len(set(derived)) == 8
    assert {len(text) for text in derived} == {43}
    assert derive(Secret("k"), "p", "m").reveal() == derived[0]


def test_a_one_use_secret_reads_what_it_writes() -> None:
    """`id.secret`: the id finds the row, the fingerprint proves the secret."""
    made = OneUseSecret("A" * 22, Secret("s" * 43))
    assert OneUseSecret.parse(made.text) == made
    assert made.fingerprint == fingerprint(Secret("s" * 43))
    assert "sss" not in repr(made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "A" * 22,
        "A" * 22 + "." + "s" * 42,
        "A" * 22 + "." + "s" * 44,
        "A" * 21 + "." + "s" * 43,
        "A" * 22 + "." + "s" * 43 + "\n",
        "A" * 22 + "." + "é" + "s" * 42,
        "A" * 22 + "," + "s" * 43,
        "A" * 22 + "." + "s" * 42 + "=",
    ],
)
def test_any_other_form_is_none(text: str) -> None:
    """No row is looked for under what is no id."""
    assert OneUseSecret.parse(text) is None


@given(st.text())
def test_parsing_never_raises(text: str) -> None:
    """Whatever a stranger sends."""
    parsed = OneUseSecret.parse(text)
    assert parsed is None or parsed.text == text
