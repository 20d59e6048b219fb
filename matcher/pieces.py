"""Pieces: the token numbers of texts, exactly those of the tokenizers library, which plain English does not need.

The library reads any language, by a call that costs more than all the rest of an encoding. Of a tokenizer of the usual kind (BERT's
rules, lower case, WordPiece) with added pairs of words, ASCII text is read here with a few lookups a word instead. Whatever is not plain
(another script, control characters, doubled spaces, an underscore, pairs that could overlap) goes to the library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: BERT's words in lower-case ASCII: letters and digits, or one mark.
_WORD = re.compile(r"[a-z0-9]+|[^ a-z0-9]")
_PAIR = re.compile(r"[a-z0-9]+ [a-z0-9]+")
_NORMALIZER = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
_PRE_TOKENIZER = {"type": "BertPreTokenizer"}
#: An added token, but for what is its own.
_OWN = {"id": 0, "content": ""}
_ADDED = {"single_word": True, "lstrip": False, "rstrip": False, "normalized": True, "special": False} | _OWN
_PREFIX = "##"


class Pieces:
    """The tokenizer of a ``tokenizer.json``. Safe to share between threads."""

    def __init__(self, data: bytes) -> None:
        """Read ``tokenizer.json``; raises ValueError, or what the library raises, for something else."""
        self._data = data
        self._plain = _plain_of(json.loads(data))
        # A tokenizer of another kind is the library's alone: it has to be one now, not at the first text.
        self.size = self._library.get_vocab_size() if self._plain is None else self._plain.size

    @cached_property
    def _library(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_buffer(self._data)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def numbers(self, texts: Sequence[str]) -> tuple[list[int], list[int]]:
        """Return the tokens of all texts, one after another, and how many are each text's."""
        found: list[int] = []
        lengths: list[int] = []
        plain = self._plain
        known: dict[str, list[int]] = {}
        for text in texts:
            before = len(found)
            if plain is None or not plain.read(text, found, known):
                found += self._library.encode(encodable(text), add_special_tokens=False).ids
            lengths.append(len(found) - before)
        return found, lengths


def encodable(text: str) -> str:
    """Replace lone surrogates, which the library can't take."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _plain_of(rules: Any) -> _Plain | None:
    """Return the reader of plain text for a tokenizer that is of the usual kind, else None."""
    try:
        model, added = rules["model"], rules["added_tokens"]
        usual = (
            rules["normalizer"] == _NORMALIZER
            and rules["pre_tokenizer"] == _PRE_TOKENIZER
            and model["type"] == "WordPiece"
            and model["continuing_subword_prefix"] == _PREFIX
            and all(token | _OWN == _ADDED and _PAIR.fullmatch(token["content"]) for token in added)
        )
        if not usual:
            return None
        vocabulary: dict[str, int] = model["vocab"]
        pairs: dict[str, int] = {token["content"]: token["id"] for token in added}
        return _Plain(vocabulary, pairs, vocabulary[model["unk_token"]], model["max_input_chars_per_word"])
    except (KeyError, TypeError):
        return None


class _Plain:
    """Reads plain text by dictionaries of words and of pairs."""

    def __init__(self, vocabulary: Mapping[str, int], pairs: Mapping[str, int], unknown: int, longest: int) -> None:
        self.size = len(vocabulary | pairs.keys())
        self._vocabulary = vocabulary
        self._unknown = unknown
        self._longest = longest
        self._seconds: dict[str, dict[str, int]] = {}
        for content, number in pairs.items():
            first, second = content.split(" ")
            self._seconds.setdefault(first, {})[second] = number

    def read(self, text: str, found: list[int], known: dict[str, list[int]]) -> bool:
        """Append the tokens of ``text`` to ``found`` and return True, or return False for a text that is not plain.

        ``known`` keeps the pieces of this call's words.
        """
        if not text.isascii() or not text.isprintable() or "  " in text or "_" in text:
            return False
        words = _WORD.findall(text.lower())
        start = len(found)
        vocabulary, all_seconds = self._vocabulary, self._seconds
        seconds: dict[str, int] | None = None
        pieces = 0
        for place, word in enumerate(words):
            if seconds is not None and word in seconds:
                if place > 1 and self._overlaps(words[place - 2], words[place - 1]):
                    del found[start:]
                    return False
                # The pair takes the place of its first word, which has one piece or several.
                del found[len(found) - pieces :]
                found.append(seconds[word])
                seconds = None
                continue
            number = vocabulary.get(word)
            if number is not None and len(word) <= self._longest:
                found.append(number)
                pieces = 1
            else:
                parts = known.get(word)
                if parts is None:
                    parts = known[word] = self._parts(word)
                found += parts
                pieces = len(parts)
            seconds = all_seconds.get(word)
        return True

    def _overlaps(self, before: str, word: str) -> bool:
        """Tell whether some pair ends within or with ``word``, the first of a pair, having begun within or with ``before``.

        The library looks for pairs from left to right in the letters, and rejects those that are no whole words only when it has passed
        over them: such a one hides the next.
        """
        for place in range(len(before)):
            seconds = self._seconds.get(before[place:])
            if seconds is not None and any(word.startswith(second) for second in seconds):
                return True
        return False

    def _parts(self, word: str) -> list[int]:
        """Return the longest known pieces of a word from its beginning, or the unknown token where one is missing."""
        if len(word) > self._longest:
            return [self._unknown]
        find = self._vocabulary.get
        parts: list[int] = []
        start = 0
        while start < len(word):
            prefix = _PREFIX if start else ""
            for end in range(len(word), start, -1):
                number = find(prefix + word[start:end])
                if number is not None:
                    parts.append(number)
                    start = end
                    break
            else:
                return [self._unknown]
        return parts
