"""Pieces: the same token numbers as the library's, whether or not it was asked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from matcher.pieces import Pieces

WORDS = [
    "[PAD]",
    "[UNK]",
    "bake",
    "bread",
    "##s",
    "##ing",
    "court",
    "law",
    "mend",
    "car",
    "wash",
    "metal",
    "a",
    "##al",
    "8",
    "-",
    ".",
]
PAIRS = ["bake bread", "bread law", "car wash", "al bread", "law s", "court car", "mend me"]


def rules(**changes: object) -> bytes:
    added = [
        {
            "id": len(WORDS) + i,
            "content": pair,
            "single_word": True,
            "lstrip": False,
            "rstrip": False,
            "normalized": True,
            "special": False,
        }
        for i, pair in enumerate(PAIRS)
    ]
    plain = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "post_processor": None, "decoder": None,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 12,
                  "vocab": {token: i for i, token in enumerate(WORDS)}},
    }  # fmt: skip
    return json.dumps(plain | changes).encode()


PIECES, LIBRARY = Pieces(rules()), Tokenizer.from_buffer(rules())
TEXTS = [
    "Bake bread", "bake  bread", "bake bread law", "metal bread law", "bake breads", "rebake bread law", "bake-bread", "bake bread_law",
    "car wash car wash", "court car wash", "Mend metal.", "meal bread", "bakings", "unknown", "a" * 13, "", "   ", "bake\tbread", "café bread",
    "bread laws", "mend mend metal bread", "\ud800 bread", "bake\x00bread", "8a 8 bread law", "ČAR wash",
]  # fmt: skip


def expected(text: str) -> list[int]:
    ids: list[int] = LIBRARY.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids
    return ids


@pytest.mark.parametrize("text", TEXTS)
def test_numbers_are_those_of_the_library(text: str) -> None:
    assert PIECES.numbers([text]) == (expected(text), [len(expected(text))])


@settings(max_examples=400)
@given(
    st.lists(
        st.sampled_from(["bake", "bread", "law", "s", "al", "met", "car", "wash", "court", "mend", "me", "-", " ", "_", "é", "X"])
    )
)
def test_any_string_of_parts_has_the_numbers_of_the_library(parts: list[str]) -> None:
    for text in (" ".join(parts), "".join(parts)):
        assert PIECES.numbers([text])[0] == expected(text)


def test_texts_are_numbered_one_after_another() -> None:
    numbers, lengths = PIECES.numbers(["bake bread", "", "car law", "é"])
    assert lengths == [1, 0, 2, 1]
    assert numbers == [*expected("bake bread"), *expected("car law"), *expected("é")]


def test_plain_text_needs_no_library() -> None:
    pieces = Pieces(rules())
    pieces.numbers(["Bake bread", "metal bread"])
    assert "_library" not in vars(pieces)
    pieces.numbers(["café"])
    assert "_library" in vars(pieces)


def test_a_tokenizer_of_another_kind_is_the_librarys_alone() -> None:
    other = Pieces(rules(pre_tokenizer={"type": "Whitespace"}))
    assert "_library" in vars(other)
    assert other.numbers(["bake-bread"])[0] == Tokenizer.from_buffer(other._data).encode("bake-bread", add_special_tokens=False).ids
    assert other.size == PIECES.size == LIBRARY.get_vocab_size()


def test_what_is_no_tokenizer_is_refused_at_once() -> None:
    for data in (b"damaged", b'{"model": 7}', b"[]"):
        with pytest.raises(Exception, match=r"(?i)expecting|did not match|missing field|invalid type"):
            Pieces(data)
