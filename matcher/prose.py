"""Prose: whether a text can be read at all, told by simple counts: English, noise, a broken text layer, filler, numbers.

Every test needs plenty of evidence before it refuses: a short list of skills or a title has none of the words of a sentence.
"""

from __future__ import annotations

import re
from collections import Counter

from matcher.records import Reason
from matcher.wording import word_set

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
#: The same in lower-case ASCII: a set of few characters, which the engine reads twice as fast.
_ASCII_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
#: Words looked at; more would not change the answer.
SAMPLE = 3000

ENGLISH = word_set(
    """
    the of and to in for with a on as is by or at from that this an be are was were which their his her its has have had not
    but all they i my who will also can into than other such more our we you your through between within including while
    during under over using responsible experience skills management ability strong years work team new customer customers
    """
)
#: Words without meaning of their own that English does not have, by language.
FOREIGN: dict[str, frozenset[str]] = {
    "es": word_set(
        """
        el los las y en del una con para por que su sus como más al entre sobre desde hasta experiencia años trabajo
        """
    ),
    "pt": word_set(
        """
        os da das dos em um uma com para por que não mais ao pela pelo como entre sobre anos experiência e é
        """
    ),
    "fr": word_set(
        """
        le les des et du une dans pour avec sur par au aux est qui que ou en chez ans expérience la gestion
        """
    ),
    "it": word_set(
        """
        il lo gli di del della dei delle e un una con per nel nella che sono da alla presso anni esperienza
        """
    ),
    "de": word_set(
        """
        der das und mit von für den dem ein eine einer im zu auf ist bei als des zur zum sowie oder nach durch jahre über
        """
    ),
    "nl": word_set("het een en van voor met op te bij zijn als aan door naar ik werk jaar ervaring de"),
    "sv": word_set("och att det som en på är för av med till jag har inom den om samt arbete"),
    "da": word_set("og at det som en på er for af med til jeg har inden den om samt arbejde i av"),
    "pl": word_set("i w z na do się oraz dla od przez nie jest po za pracy lat jako"),
    "tr": word_set("ve bir ile için bu olarak da de olan çok yıl daha gibi"),
    "id": word_set("dan yang di untuk dengan dari pada dalam ini sebagai adalah ke saya tahun"),
    "tl": word_set("ang ng sa mga at na ay para ko ako"),
    "vi": word_set("và của là các có cho trong với được những một công"),
    "ro": word_set("și în de la cu pentru din pe care este o un"),
    "fi": word_set("ja on ei että se oli sekä kanssa tai olen"),
    "hu": word_set("és az egy hogy nem is meg volt mint"),
    "cs": word_set("a v na se že je s z do pro o k jsem jako"),
}
_LATIN = word_set(
    """
    lorem ipsum dolor sit amet consectetur adipiscing adipisicing elit sed do eiusmod tempor incididunt ut labore et dolore
    magna aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris nisi aliquip ex ea commodo consequat duis
    aute irure in reprehenderit voluptate velit esse cillum eu fugiat nulla pariatur excepteur sint occaecat cupidatat non
    proident sunt culpa qui officia deserunt mollit anim id est laborum nunc vel mauris vestibulum curabitur pellentesque
    praesent donec vivamus nec tincidunt lectus orci faucibus ornare integer aenean morbi tristique senectus netus malesuada
    fames ac turpis egestas cras fusce suspendisse ultrices porttitor massa augue sapien libero viverra vitae quam sem
    """
)
#: Relative frequencies of a to z in English résumés and other prose, in per mille.
_LETTERS = (80, 14, 36, 38, 122, 20, 22, 38, 74, 2, 8, 42, 29, 72, 72, 24, 2, 64, 68, 88, 29, 11, 15, 3, 17, 1)
_RECIPE = re.compile(
    r"\b(?:tbsp|tsp|tablespoons?|teaspoons?|preheat(?:ed)?|oven|whisk|simmer|saut[eé]|minced|chopped|diced|cups?|cloves?|garlic|onions?|flour|"
    r"butter|sugar|salt|pepper|stir|dough|baking|skillet|saucepan|garnish|drizzle|olive oil|serves|servings?|bake|boil|marinade|ounces?)\b",
    re.I,
)
_RECIPE_MEASURE = re.compile(
    r"(?:\d|[¼½¾⅓⅔])\s?(?:cups?|tbsp|tsp|tablespoons?|teaspoons?|cloves?|ounces?|oz|grams?|g|ml|lbs?)\b|\bpreheat|\b\d{3} ?(?:°|degrees)",
    re.I,
)
_LICENCE = re.compile(
    r"hereby granted|without warranty|warranties of merchantability|\bas is\b|in no event shall|derivative works?|copyright (?:notice|holder|owner|\(c\))|"
    r"\bthis licen[cs]e\b|\bthe licensor\b|\blicensee\b|redistributions? (?:of|in)|permission notice|fitness for a particular purpose|sublicen[cs]e|"
    r"free of charge|terms and conditions (?:of|for)",
    re.I,
)

#: Marks that program text and markup are full of and prose is not: brackets, operators, calls. Lists have | and ; and (, too.
_CODE = re.compile(r"[{}<>=\\$\[\]]|\(\)|//|::|->|&&|[)}\]\"'];$|\w\.\w+\(|\w\(['\"]|^\s*[#@*]\w|--\w|\w:\d\d\b|\w_\w", re.M)


def words_of(text: str, limit: int = SAMPLE) -> list[str]:
    """Return the first ``limit`` words of a text, in lower case."""
    found: list[str] = []
    for match in _WORD.finditer(text):
        found.append(match[0].lower())
        if len(found) == limit:
            break
    return found


def language_of(text: str) -> str:
    """Return ``en`` unless there is plenty of evidence of another language: its code, or ``und`` where that stays open."""
    words = words_of(text)
    if not words:
        return "en"
    if is_other_script(text):
        return "und"
    counts = Counter(words)
    english = sum(counts[w] for w in ENGLISH)
    scores = {code: sum(counts[w] for w in known) for code, known in FOREIGN.items()}
    # Of equals, the first listed.
    code = max(scores, key=lambda c: scores[c])
    kinds = sum(1 for w in FOREIGN[code] if counts[w])
    if scores[code] >= max(4, 0.08 * len(words)) and scores[code] > 2 * english and kinds >= 3:
        return code
    accented = sum(1 for w in words if not w.isascii() and "’" not in w)
    if len(words) >= 12 and accented > 0.2 * len(words) and english < 0.04 * len(words):
        return code if kinds >= 2 else "und"
    return "en"


def is_other_script(text: str) -> bool:
    """Tell whether most letters are none of the Latin script."""
    letters = [c for c in text[:20_000] if c.isalpha()]
    return sum(c > "\u024f" and not "\u1e00" <= c <= "\u1eff" for c in letters) > len(letters) / 2


def is_garbled(text: str) -> bool:
    """Tell whether a text is noise rather than words: keys struck at random, or glyphs without a proper map to characters."""
    sample = text[:20_000]
    visible = sum(1 for c in sample if not c.isspace())
    if visible < 20:
        return False
    broken = sum(
        1 for c in sample if c == "\ufffd" or "\ue000" <= c <= "\uf8ff" or c < "\t" or "\x0e" <= c < " " or "\x7f" <= c < "\xa0"
    )
    broken += 6 * sample.count("(cid:")
    if broken > 0.15 * visible:
        return True
    words = _WORD.findall(sample)[:SAMPLE]
    # Lists of abbreviations have letters of their own: "AWS, VPN, LDAP" is no noise.
    latin = [w.lower() for w in words if w.isascii() and len(w) > 1 and not (w.isupper() and len(w) <= 6)]
    letters = "".join(latin)
    if sum(len(w) for w in words if w.isascii()) < 0.5 * sum(map(len, words)):
        # Another script: not for counts of a to z to judge.
        return False
    if len(letters) < 100:
        return _is_mashed(latin)
    counts = Counter(letters)
    dot = sum(counts[chr(97 + i)] * f for i, f in enumerate(_LETTERS))
    norm = sum(f * f for f in _LETTERS) ** 0.5 * sum(counts[chr(97 + i)] ** 2 for i in range(26)) ** 0.5
    # Real texts have a cosine of 0.7 at 100 letters and 0.9 at 300 or more.
    if dot < (0.6 if len(letters) < 300 else 0.75) * norm:
        return True
    return _is_mashed(latin)


def _is_mashed(words: list[str]) -> bool:
    """Tell whether most of the letters stand in words that nobody could say, or all of them in a few words said over and over."""
    if len(words) >= 4 and len(set(words)) == 1:
        return True
    if 5 <= len(words) < 40 and len(set(words)) <= 0.4 * len(words):
        # "test test test testing": no list says the same again and again.
        return True
    long = [w for w in words if len(w) >= 5]
    if len(long) < 2 and not any(len(w) >= 12 for w in long):
        return False
    odd = [w for w in long if _unsayable(w)]
    return len(odd) > 0.5 * len(long)


def _unsayable(word: str) -> bool:
    vowels = sum(c in "aeiouy" for c in word)
    return bool(re.search(r"[bcdfghjklmnpqrstvwxz]{5}|(.)\1\1", word)) or vowels < 0.17 * len(word)


def is_filler(text: str) -> bool:
    """Tell whether a text is lorem ipsum."""
    words = words_of(text, 400)
    if len(words) < 5:
        return False
    known = sum(w in _LATIN for w in words)
    return known > 0.5 * len(words) or ("ipsum" in words and known > 0.3 * len(words))


def is_numbers(text: str) -> bool:
    """Tell whether a text is figures rather than words."""
    sample = text[:20_000]
    digits = len(re.findall(r"\d", sample))
    letters = len(re.findall(r"[^\W\d_]", sample))
    return digits + letters > 0 and letters < 0.35 * (digits + letters)


def is_code(text: str) -> bool:
    """Tell whether a text without a résumé's sections is a program, markup or a machine's log: a sixteenth of it is their marks.

    Résumés and lists of skills stay below a twentieth, and a title has too few marks to tell ("C++/C# developer [remote]").
    """
    sample = text[:20_000]
    visible = sum(1 for c in sample if not c.isspace())
    marks = [match[0] for match in _CODE.finditer(sample)]
    return len(marks) >= 6 and sum(map(len, marks)) > 0.06 * visible


def is_other_matter(text: str) -> bool:
    """Tell whether a text without a résumé's sections is code, a recipe or a licence: many of their words, and their set phrases."""
    if is_code(text):
        return True
    words = len(words_of(text))
    if words < 15:
        return False
    cooking = _RECIPE.findall(text[:20_000])
    if len({w.lower() for w in cooking}) >= 5 and len(cooking) > 0.08 * words and len(_RECIPE_MEASURE.findall(text[:20_000])) >= 2:
        return True
    return len({m.lower() for m in _LICENCE.findall(text[:20_000])}) >= 3


def _is_plainly_english(text: str) -> bool:
    """Tell whether the small words of English stand in a text's beginning and middle as densely as they do in sentences."""
    for start in (0, max(0, len(text) // 2 - 1000)):
        part = text[start : start + 2000]
        found = _ASCII_WORD.findall(part.lower()) if part.isascii() else [word.lower() for word in _WORD.findall(part)]
        if len(found) < 100 or sum(map(ENGLISH.__contains__, found)) < 0.15 * len(found):
            return False
    return True


def doubt(text: str, *, from_file: bool = False) -> Reason | None:
    """Return why ranking a text would be inventing, or None. A file's noise is a broken text layer; anyone else's is noise."""
    if _is_plainly_english(text):
        return None
    if is_numbers(text) or is_filler(text):
        return "nothing_recognised"
    if is_garbled(text):
        return "garbled_text" if from_file else "nothing_recognised"
    if language_of(text) != "en":
        return "not_english"
    return None
