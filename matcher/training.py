"""Training of the static encoder: token vectors such that what a person writes lies near the occupation that it tells of.

Vocabulary: the word pieces of BERT that our texts use or that are frequent in English, whole words of O*NET and ESCO, and their
frequent pairs of words. Each token starts as the encoding that MiniLM gives it (as in model2vec), projected by PCA and weighted by
smooth inverse frequency (Arora et al., 2017). Then three losses together:

- Contrastive training of occupations (InfoNCE, in-batch negatives with related occupations beside each other): a query made from some
  of an occupation's statements must find other statements of that occupation.
- Contrastive training of duties: a task must find the detailed activity that O*NET links it to, or another task with that activity,
  among those of the same occupations.
- Distillation: texts must be as near to each other as a sentence transformer, MiniLM by default, has them.
"""

from __future__ import annotations

import json
import random
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from matcher.records import Occupation, Release

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from matcher.evaluation import LabelledQuery

_WORD = re.compile(r"[a-z]+|[0-9]+")
_STOP = frozenset(
    (
        "a an and are as at be by for from in into is it its of on or that the their them they this to was were which with you "
        "your other such using"
    ).split()
)
#: What people put around their titles, and what stands in every résumé whatever the trade; the encoder learns that it tells little.
_RANKS = ("senior|sr.|junior|lead|ii|iii|i|principal|assistant|associate|head|trainee|part time|level 2|remote|contract").split("|")
_SCOPES = (
    "global|regional|national|international|corporate|north america|commercial|digital|operations|services|solutions|strategic|special "
    "projects|field|program|group|division|department|enterprise|technical|general|clinical|business"
).split("|")
#: How people shorten the words of titles.
_SHORT = {
    "assistant": "asst",
    "associate": "assoc",
    "manager": "mgr",
    "management": "mgmt",
    "director": "dir",
    "engineer": "engr",
    "engineering": "eng",
    "technician": "tech",
    "technologist": "tech",
    "technology": "tech",
    "developer": "dev",
    "development": "dev",
    "administrator": "admin",
    "administrative": "admin",
    "administration": "admin",
    "coordinator": "coord",
    "supervisor": "supv",
    "specialist": "spec",
    "representative": "rep",
    "professor": "prof",
    "president": "pres",
    "vice president": "vp",
    "executive": "exec",
    "operator": "oper",
    "operations": "ops",
    "department": "dept",
    "international": "intl",
    "national": "natl",
    "maintenance": "maint",
    "mechanical": "mech",
    "electrical": "elec",
    "accountant": "acct",
    "accounting": "acctg",
    "analyst": "anlst",
    "manufacturing": "mfg",
    "marketing": "mktg",
    "quality assurance": "qa",
    "quality control": "qc",
    "human resources": "hr",
    "information technology": "it",
    "registered nurse": "rn",
    "licensed practical nurse": "lpn",
    "certified nursing assistant": "cna",
    "research and development": "r&d",
    "customer service representative": "csr",
    "business": "bus",
    "service": "svc",
    "services": "svcs",
    "equipment": "equip",
    "programmer": "prog",
    "laboratory": "lab",
    "university": "univ",
    "hospital": "hosp",
    "lieutenant": "lt",
    "sergeant": "sgt",
    "instructor": "instr",
    "inspector": "insp",
    "construction": "const",
}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_COMMONPLACES = (
    "team player|excellent communication skills|detail oriented|fast paced environment|responsible for|self starter|hard "
    "working and dependable|works well under pressure|strong work ethic|customer service|multi tasking|problem solving "
    "skills|proven track record|results driven professional|highly motivated|time management|organizational skills|ability "
    "to learn quickly|people person|leadership skills|company name city state|references available upon request|seeking a "
    "challenging position|goal oriented|ability to work independently|positive attitude|strong interpersonal "
    "skills|bilingual|microsoft office|excel word powerpoint outlook|employee of the month|trained new employees|attended "
    "weekly meetings|maintained a clean work area|met deadlines|met and exceeded goals|answered phones|data entry|january "
    "2012 to present|bachelor of science|high school diploma|gpa 3.5|certificate|professional summary|core "
    "qualifications|work history|education and training|creative and innovative|flexible schedule|quick learner|ensured "
    "compliance with company policies|reported to the manager|assisted with daily operations|other duties as "
    "assigned|increased efficiency|saved the company money|worked with a diverse team|presented to senior leadership|on "
    "time and within budget|developed relationships with clients"
).split("|")


class TrainingError(ValueError):
    """A training input or setting is not usable; the text names it and what was expected."""


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """The recipe of an encoder; ``models/encoder.toml`` holds the shipped one, with what each number means."""

    seed: int = 1
    steps: int = 8000
    dim: int = 288
    batch: int = 256
    esco_share: float = 0.375
    learning_rate: float = 0.002
    temperature: float = 22.0
    token_dropout: float = 0.1
    short_titles: float = 0.0
    fragments: float = 0.0
    typos: float = 0.0
    bigrams: int = 4000
    least_word_count: int = 3
    rarest_piece: int = 11000
    duty_weight: float = 0.3
    duty_batch: int = 160
    teacher_weight: float = 1.0
    teacher_batch: int = 192

    @classmethod
    def read(cls, path: Path | str) -> tuple[EncoderConfig, ...]:
        """Read a TOML file of settings: one run, or the runs of ``[[run]]`` tables, each over the settings above them.

        Raises TrainingError for an unknown setting, a wrong type, or runs with different vocabularies or dimensions.
        """
        try:
            found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TrainingError(f"{path}: not a readable TOML file ({error})") from None
        tables = found.pop("run", [{}])
        if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
            raise TrainingError(f"{path}: run = {tables!r}, expected tables [[run]]")
        runs = tuple(cls._of({**found, **table}, path) for table in tables)
        for name in ("dim", "bigrams", "least_word_count", "rarest_piece"):
            if len(values := {getattr(run, name) for run in runs}) > 1:
                raise TrainingError(f"{path}: {name} = {sorted(values)}, expected one for all runs: their vectors are averaged")
        return runs

    @classmethod
    def _of(cls, settings: Mapping[str, Any], path: Path | str) -> EncoderConfig:
        known = {f.name: type(f.default) for f in fields(cls)}
        for name, value in settings.items():
            if name not in known:
                raise TrainingError(f"{path}: unknown setting {name!r}, expected some of {', '.join(known)}")
            if not isinstance(value, known[name]) or isinstance(value, bool):
                raise TrainingError(f"{path}: {name} = {value!r}, expected {known[name].__name__}")
        return cls(**settings)


@dataclass(frozen=True, slots=True)
class _Texts:
    """The texts of one occupation, by what they are."""

    code: str
    title: str
    description: str
    titles: tuple[str, ...]
    tasks: tuple[str, ...]
    activities: tuple[str, ...]
    technologies: tuple[str, ...]
    knowledge: tuple[str, ...]
    related: tuple[str, ...]
    links: tuple[tuple[str, tuple[str, ...]], ...]

    @classmethod
    def of(cls, o: Occupation) -> _Texts:
        titles = [t for a in o.alternate_titles for t in (a.title, a.short) if t] + list(o.reported_titles)
        weighty = [
            k.name
            for k in o.knowledge
            if k.importance and k.importance.value and not k.importance.suppress and k.importance.value >= 3.5
        ]
        return cls(
            o.code,
            o.title,
            o.description,
            tuple(titles) or (o.title,),
            tuple(t.text for t in o.tasks),
            tuple(a.text for a in o.activities),
            tuple(dict.fromkeys(t.name for t in o.technologies)),
            tuple(weighty),
            tuple(r.code for r in o.related),
            tuple((t.text, t.activity_ids) for t in o.tasks if t.activity_ids),
        )

    def all(self) -> list[str]:
        return [self.title, self.description, *self.titles, *self.tasks, *self.activities, *self.technologies]


def train_encoder(
    release: Release,
    out: Path | str,
    *,
    esco: Sequence[LabelledQuery] = (),
    runs: Sequence[EncoderConfig] = (EncoderConfig(),),
    teacher: Callable[[Sequence[str]], npt.NDArray[np.float32]] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Path:
    """Train on a release and, where given, labelled ESCO rows (train files only), and write a sentence-transformers folder.

    Token vectors are the mean over ``runs``, which all start from the same ones. (Weights of one start that were trained differently
    can be averaged, and generalise better than each: Wortsman et al., Model soups, 2022.)

    ``teacher`` encodes single tokens for the start, and texts to distil from (MiniLM by default). The same inputs and settings give the
    same weights: training runs on one thread. Raises TrainingError for labels that the release lacks.
    """
    settings = runs[0]
    tell = progress or (lambda what, share: None)
    texts = [_Texts.of(o) for o in release.occupations]
    codes = {t.code for t in texts}
    for row in esco:
        if not row.labels <= codes:
            raise TrainingError(f"row {row.id}: label {sorted(row.labels - codes)[0]!r} is not a code of {release.name}")
    rows = _EscoRows(
        [(row.text, tuple(sorted(row.labels))) for row in esco if row.text],
        [(row.title, tuple(sorted(row.labels))) for row in esco if row.title],
    )
    tell("vocabulary", 0.0)
    corpus = [t for occupation in texts for t in occupation.all()] + [text for text, _ in rows.all]
    tokenizer, names = build_vocabulary(corpus, settings)
    tell("first vectors", 0.02)
    encode = teacher or _minilm()
    counts = np.zeros(len(names))
    for one in tokenizer.encode_batch(corpus, add_special_tokens=False):
        np.add.at(counts, one.ids, 1)
    start = first_vectors(encode(names), counts, settings.dim)
    titles_of_activities = {a.id: a.text for a in release.activities} or {
        a.id: a.text for o in release.occupations for a in o.activities
    }
    duties = _Duties(texts, titles_of_activities)
    pool = _pool(texts, rows, random.Random(settings.seed))
    tell("teacher", 0.05)
    taught = encode(pool) if any(run.teacher_weight for run in runs) else np.zeros((len(pool), 1), np.float32)
    steps = sum(run.steps for run in runs)
    done = 0
    vectors = np.zeros_like(start)
    for run in runs:

        def told(share: float, before: int = done, own: int = run.steps) -> None:
            tell("training", 0.3 + 0.7 * (before + share * own) / steps)

        vectors += _contrast(texts, rows, duties, (pool, taught), tokenizer, start, run, told) / len(runs)
        done += run.steps
    vectors[tokenizer.token_to_id("[UNK]")] = 0.0  # so that an unknown token turns no mean
    return save_static(out, tokenizer, vectors)


def _minilm() -> Callable[[Sequence[str]], npt.NDArray[np.float32]]:
    from matcher.encoder import SentenceTransformerEncoder

    return SentenceTransformerEncoder().encode


def build_vocabulary(corpus: Sequence[str], config: EncoderConfig) -> tuple[Tokenizer, list[str]]:
    """Return a WordPiece tokenizer with whole words and pairs of words of the corpus, and the text of each token."""
    from tokenizers import AddedToken, Tokenizer

    from matcher.encoder import minilm_folder

    base = json.loads((minilm_folder() / "tokenizer.json").read_text(encoding="utf-8"))
    pieces: dict[str, int] = base["model"]["vocab"]
    base.update(added_tokens=[], post_processor=None, truncation=None, padding=None)
    used: set[str] = set()
    for one in Tokenizer.from_str(json.dumps(base)).encode_batch(list(corpus), add_special_tokens=False):
        used.update(one.tokens)

    def useful(piece: str) -> bool:
        if not re.fullmatch(r"(##)?[a-z0-9]+|[+#&/.\-]", piece):
            return False
        if piece in used:
            return True
        if piece.isdigit():
            return False
        return len(piece) <= 5 if piece.startswith("##") else pieces[piece] < config.rarest_piece

    singles: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for text in corpus:
        words = _WORD.findall(text.lower())
        singles.update(words)
        for a, b in zip(words, words[1:], strict=False):
            if a not in _STOP and b not in _STOP and len(a) > 1 and len(b) > 1:
                pairs[f"{a} {b}"] += 1
    kept = [piece for piece in pieces if useful(piece)]
    whole = [w for w, n in singles.most_common() if n >= config.least_word_count and len(w) > 3 and w.isalpha() and w not in pieces]
    tokens = ["[PAD]", "[UNK]", *kept, *whole]
    base["model"]["vocab"] = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer.from_str(json.dumps(base))
    common = [pair for pair, n in pairs.most_common(config.bigrams) if n >= 8]
    tokenizer.add_tokens([AddedToken(pair, single_word=True, normalized=True) for pair in common])
    return tokenizer, [token.replace("##", "") for token in tokens] + common


def first_vectors(encoded: npt.NDArray[np.float32], counts: npt.NDArray[np.float64], dim: int) -> npt.NDArray[np.float32]:
    """Return (tokens, dim): the first principal components, times a / (a + p) of each token's share p (a = 0.001), at mean square 1."""
    centred = encoded - encoded.mean(axis=0)
    _, _, components = np.linalg.svd(centred, full_matrices=False)
    if len(components) < dim:
        raise TrainingError(f"dim = {dim}: the first vectors have only {len(components)} dimensions")
    projected = centred @ components[:dim].T
    share = (counts + 1) / (counts.sum() + len(counts))
    weighted = projected * (1e-3 / (1e-3 + share))[:, None]
    return np.asarray(weighted / np.sqrt((weighted**2).sum(axis=1).mean()), np.float32)


@dataclass(frozen=True, slots=True)
class _EscoRows:
    """Labelled ESCO rows: descriptions, which are few and say much, and titles, which are many and say little."""

    descriptions: list[tuple[str, tuple[str, ...]]]
    titles: list[tuple[str, tuple[str, ...]]]

    @property
    def all(self) -> list[tuple[str, tuple[str, ...]]]:
        return self.descriptions + self.titles

    def draw(self, draws: random.Random) -> tuple[str, tuple[str, ...]]:
        few = self.descriptions and (not self.titles or draws.random() < 0.4)
        return draws.choice(self.descriptions if few else self.titles)


def _pool(texts: Sequence[_Texts], rows: _EscoRows, draws: random.Random) -> list[str]:
    """Return the texts to distil from the teacher: all duties and descriptions, and some of the many titles."""
    titles = sorted({title for o in texts for title in (o.title, *o.titles)})
    esco_titles = [text for text, _ in rows.titles]
    sentences = [s for text, _ in rows.descriptions for s in re.split(r"(?<=\.)\s+", text) if len(s) > 20]
    duties = [t for o in texts for t in (*o.tasks, *o.activities, o.description)]
    return list(
        dict.fromkeys(
            duties
            + draws.sample(titles, min(8000, len(titles)))
            + sentences
            + draws.sample(esco_titles, min(4000, len(esco_titles)))
        )
    )


class _Duties:
    """Pairs of a task and what O*NET says is the same duty: its detailed activity, or another task with that activity."""

    def __init__(self, texts: Sequence[_Texts], activities: Mapping[str, str]) -> None:
        self.activities = activities
        self.links = [o.links for o in texts if o.links]
        self.tasks_of: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for links in self.links:
            for task, ids in links:
                for identity in ids:
                    self.tasks_of.setdefault(identity, []).append((task, ids))

    def batch(self, size: int, sampler: _Sampler) -> tuple[list[Any], list[Any], npt.NDArray[np.bool_]]:
        """Return queries, answers, and (n, n) which answers are no negatives of a query since they share an activity."""
        queries: list[Any] = []
        answers: list[Any] = []
        own: list[set[str]] = []
        theirs: list[set[str]] = []
        while self.links and len(queries) < size:
            links = sampler.draws.choice(self.links)
            for task, ids in sampler.draws.sample(links, min(len(links), sampler.draws.randint(3, 6))):
                identity = sampler.draws.choice(sorted(ids))
                queries.append(sampler.ids(sampler.cut(sampler.as_told(task)) if sampler.chance(0.6) else sampler.cut(task)))
                others = self.tasks_of[identity]
                if sampler.chance(0.5) or len(others) < 2:
                    answers.append(sampler.ids(self.activities[identity]))
                    theirs.append({identity})
                else:
                    other, other_ids = sampler.draws.choice(others)
                    answers.append(sampler.ids(other))
                    theirs.append(set(other_ids))
                own.append(set(ids))
        same = np.array([[bool(mine & other) for other in theirs] for mine in own])
        np.fill_diagonal(same, False)
        return queries, answers, same


class _Sampler:
    """Makes queries and what they should find."""

    def __init__(self, texts: Sequence[_Texts], tokenizer: Tokenizer, draws: random.Random, config: EncoderConfig) -> None:
        self.config = config
        self.by_code = {t.code: t for t in texts}
        self.all = list(texts)
        self.full = [t for t in texts if t.tasks]
        self.minor: dict[str, list[str]] = {}
        for t in texts:
            self.minor.setdefault(t.code[:4], []).append(t.code)
        self.tokenizer = tokenizer
        self.draws = draws
        self.cache: dict[str, npt.NDArray[np.int64]] = {}

    def ids(self, text: str) -> npt.NDArray[np.int64]:
        found = self.cache.get(text)
        if found is None:
            if len(self.cache) > 300_000:
                self.cache.clear()
            found = self.cache[text] = np.array(self.tokenizer.encode(text, add_special_tokens=False).ids, np.int64)
        return found

    def told(self, parts: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the tokens of what a person gives: of some, with typing errors."""
        if self.config.typos and self.chance(self.config.typos):
            mistyped = [self.mistyped(part) for part in parts]
            return np.array(self.tokenizer.encode(" ; ".join(mistyped), add_special_tokens=False).ids, np.int64)
        return self.join(parts)

    def join(self, parts: Sequence[str]) -> npt.NDArray[np.int64]:
        return np.concatenate([self.ids(part) for part in parts]) if parts else np.zeros(0, np.int64)

    def some(self, items: Sequence[str], least: int, most: int) -> list[str]:
        return self.draws.sample(list(items), min(len(items), self.draws.randint(least, most)))

    def chance(self, p: float) -> bool:
        return self.draws.random() < p

    def title(self, title: str) -> list[str]:
        if self.config.short_titles and self.chance(self.config.short_titles):
            title = self.shortened(title)
        if not self.chance(0.35):
            return [title]
        rank = self.draws.choice(_RANKS)
        return [rank, title] if self.chance(0.6) else [title, rank]

    def shortened(self, title: str) -> str:
        """Return a title as people write it down: abbreviated, turned round, without a word, or with a word of scope."""
        x = self.draws.random()
        if x < 0.5:
            told = title.lower()
            for long, short in _SHORT.items():
                if long in told and self.chance(0.7):
                    told = re.sub(rf"\b{long}\b", short + self.draws.choice(("", ".")), told)
            return told
        words = title.split(" ")
        if x < 0.65 and len(words) > 1:
            return f"{words[-1]}, {' '.join(words[:-1])}"
        if x < 0.8 and len(words) > 2:
            del words[self.draws.randrange(len(words))]
            return " ".join(words)
        scope = self.draws.choice(_SCOPES)
        return f"{scope} {title}" if self.chance(0.5) else f"{title}, {scope}"

    def fragment(self, duty: str) -> str:
        """Return two to four words in a row of a duty, as a list of skills has them; beginning and end say something."""
        words = duty.rstrip(".").split(" ")
        start = self.draws.randrange(max(1, len(words) - 2))
        part = words[start : start + self.draws.randint(2, 4)]
        while len(part) > 1 and part[0].lower() in _STOP:
            del part[0]
        while len(part) > 1 and part[-1].lower() in _STOP:
            del part[-1]
        return " ".join(part).strip(",;")

    def mistyped(self, text: str) -> str:
        """Return a text with a letter in twenty dropped, doubled, changed, or swapped with the next."""
        letters = list(text)
        for i in range(len(letters)):
            if self.draws.random() < 0.05 and letters[i].isalpha():
                x = self.draws.randrange(4)
                if x == 0:
                    letters[i] = ""
                elif x == 1:
                    letters[i] *= 2
                elif x == 2:
                    letters[i] = self.draws.choice(_LETTERS)
                elif i + 1 < len(letters):
                    letters[i], letters[i + 1] = letters[i + 1], letters[i]
        return "".join(letters)

    def as_told(self, duty: str) -> str:
        """Return a duty as a résumé may tell it: in the past, as a gerund, in the first person."""
        first, _, rest = duty.partition(" ")
        verb = first.rstrip(",").lower()
        if not verb.isalpha():
            return duty
        x = self.draws.random()
        if x < 0.6:
            if verb.endswith("e"):
                verb += "d"
            else:
                verb = verb[:-1] + "ied" if verb.endswith("y") and verb[-2:-1] not in "aeiou" else verb + "ed"
        elif x < 0.85:
            verb = (verb[:-1] if verb.endswith("e") else verb) + "ing"
        else:
            verb = "i " + verb
        return f"{verb} {rest}"

    def cut(self, text: str) -> str:
        words = text.split(" ")
        if len(words) <= 8 or not self.chance(0.25):
            return text
        start = self.draws.randint(0, len(words) - 6)
        return " ".join(words[start : start + self.draws.randint(5, len(words))])

    def noisy(self, parts: list[str]) -> list[str]:
        return parts + self.some(_COMMONPLACES, 1, 4) if self.chance(0.35) else parts

    def query(self, o: _Texts) -> tuple[npt.NDArray[np.int64], frozenset[str]]:
        """Return the tokens of a query about an occupation, and the texts that it was made of."""
        x = self.draws.random()
        if not o.tasks or x < 0.33:
            title = self.draws.choice(o.titles)
            return self.told(self.title(title)), frozenset({title})
        if x < 0.58:
            parts = self.some(o.tasks, 1, 7)
            if self.chance(0.3):
                parts.append(self.draws.choice(o.titles))
            if self.chance(0.3):
                parts += self.some(o.technologies, 1, 6)
            used = frozenset(parts)
            if self.chance(0.4):  # people's histories mix
                parts += self.some(self.draws.choice(self.full).tasks, 1, 2)
            told = [self.cut(self.as_told(part)) if self.chance(0.5) else self.cut(part) for part in parts]
            return self.told(self.noisy(told)), used
        if x < 0.78:
            parts = self.some(o.technologies, 0, 12) + self.some(o.knowledge, 0, 3) + self.some(o.activities, 0, 6)
            if self.chance(0.3):
                parts += self.some(self.draws.choice(self.full).technologies, 0, 4)
            if self.chance(0.2):
                parts.append(self.draws.choice(o.titles))
            used = frozenset(parts)
            if self.config.fragments and self.chance(self.config.fragments):
                sources = self.some(o.tasks, 1, 8)
                used |= frozenset(sources)
                parts += [self.fragment(task) for task in sources]
            if not parts:
                parts = self.some(o.activities or o.tasks, 1, 4)
                used = frozenset(parts)
            return self.told(self.noisy(parts)), used
        if x < 0.9 and o.activities:
            parts = self.some(o.activities, 1, 5)
            return self.told(parts), frozenset(parts)
        return self.ids(o.description), frozenset({o.description})

    def answer(self, o: _Texts, used: frozenset[str]) -> npt.NDArray[np.int64]:
        """Return the tokens of statements of an occupation that its query was not made of."""
        x = self.draws.random()
        parts: list[str] = []
        if x < 0.3 or not o.tasks:
            parts = [o.title, *self.some([t for t in o.titles if t not in used], 1, 8)]
        elif x < 0.45:
            parts = [o.title if o.description in used else o.description]
        elif x < 0.7:
            rest = [t for t in o.tasks if t not in used]
            parts = self.some(rest, max(1, len(rest) // 3), max(1, len(rest))) if rest else [o.title]
        elif x < 0.8:
            parts = self.some([t for t in o.activities if t not in used], 1, 12)
        elif x < 0.87:
            parts = self.some([t for t in o.technologies if t not in used], 2, 20)
        if not parts:
            description = [] if o.description in used else [o.description]
            parts = [
                o.title,
                *description,
                *self.some([t for t in o.tasks if t not in used], 1, 6),
                *self.some(o.titles, 1, 5),
            ]
        return self.join(parts)

    def batch(
        self, rows: _EscoRows, config: EncoderConfig
    ) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], frozenset[str], str]]:
        """Yield (query, answer, acceptable codes, code); related occupations stand in one batch as hard negatives."""
        made = 0
        while rows.all and made < round(config.batch * config.esco_share):
            text, labels = rows.draw(self.draws)
            code = self.draws.choice(labels)
            yield self.ids(text), self.answer(self.by_code[code], frozenset()), frozenset(labels), code
            made += 1
        while made < config.batch:
            seed = self.draws.choice(self.full if self.full and self.chance(0.95) else self.all)
            beside = [self.by_code[c] for c in self.some(seed.related[:12], 0, 3) if c in self.by_code]
            if config.short_titles and self.chance(0.3):
                beside.append(self.by_code[self.draws.choice(self.minor[seed.code[:4]])])
            for o in (seed, *beside):
                query, used = self.query(o)
                yield query, self.answer(o, used), frozenset({o.code}), o.code
                made += 1


def _contrast(
    texts: Sequence[_Texts],
    rows: _EscoRows,
    duties: _Duties,
    taught: tuple[Sequence[str], npt.NDArray[np.float32]],
    tokenizer: Tokenizer,
    start: npt.NDArray[np.float32],
    config: EncoderConfig,
    tell: Callable[[float], None],
) -> npt.NDArray[np.float32]:
    import torch
    from torch.nn import functional

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in the same order on every machine
    sampler = _Sampler(texts, tokenizer, random.Random(config.seed), config)
    dropout = np.random.default_rng(config.seed)
    table = torch.nn.EmbeddingBag(start.shape[0], start.shape[1], mode="mean", sparse=True)
    table.weight.data = torch.from_numpy(start.copy())
    pool, targets = taught[0], torch.from_numpy(taught[1])
    optimiser = torch.optim.SparseAdam(list(table.parameters()), lr=config.learning_rate)

    def encode(bags: Sequence[npt.NDArray[np.int64]]) -> Any:
        kept = []
        for bag in bags:
            if len(bag) > 2:
                keep = dropout.random(len(bag)) >= config.token_dropout
                bag = bag[keep] if keep.any() else bag
            kept.append(bag if len(bag) else np.zeros(1, np.int64))
        starts = np.concatenate(([0], np.cumsum([len(bag) for bag in kept])[:-1]))
        return functional.normalize(table(torch.from_numpy(np.concatenate(kept)), torch.from_numpy(starts)), dim=-1)

    def contrast(cosines: Any) -> Any:
        target = torch.arange(len(cosines))
        return (functional.cross_entropy(cosines, target) + functional.cross_entropy(cosines.T, target)) / 2

    def distil(theirs: Any, ours: Any) -> Any:
        """Divergence of whom each text is near to, itself aside."""
        itself = torch.eye(len(ours), dtype=torch.bool)
        wanted = (theirs @ theirs.T * 20).masked_fill(itself, -1e4)
        found = (ours @ ours.T * 20).masked_fill(itself, -1e4)
        return functional.kl_div(functional.log_softmax(found, 1), functional.softmax(wanted, 1), reduction="batchmean")

    try:
        for step in range(config.steps):
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * (1 - step / config.steps) + 1e-6
            queries, answers, labels, codes = zip(*sampler.batch(rows, config), strict=True)
            same = np.array([[code in acceptable for code in codes] for acceptable in labels])
            same |= same.T
            np.fill_diagonal(same, False)
            cosines = encode(queries) @ encode(answers).T * config.temperature
            cosines = cosines.masked_fill(torch.from_numpy(same), -1e4)
            loss = contrast(cosines)
            if config.duty_weight and duties.links:
                told, meant, shared = duties.batch(config.duty_batch, sampler)
                cosines = encode(told) @ encode(meant).T * config.temperature
                loss = loss + config.duty_weight * contrast(cosines.masked_fill(torch.from_numpy(shared), -1e4))
            if config.teacher_weight:
                chosen = dropout.integers(0, len(pool), min(config.teacher_batch, len(pool)))
                loss = loss + config.teacher_weight * distil(
                    targets[chosen], encode([sampler.ids(pool[i]) for i in chosen.tolist()])
                )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if step % 50 == 0:
                tell(step / config.steps)
    finally:
        torch.set_num_threads(threads)
    tell(1.0)
    return np.array(table.weight.detach().numpy(), dtype=np.float32)


def save_static(out: Path | str, tokenizer: Tokenizer, vectors: npt.NDArray[np.float32]) -> Path:
    """Write a folder that ``StaticEncoder.load`` and ``SentenceTransformer`` both read, with float16 vectors; a README in it stays."""
    from safetensors.numpy import save

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "1_Normalize").mkdir(exist_ok=True)
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"},
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules, indent=1) + "\n", encoding="utf-8")
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"similarity_fn_name": "cosine"}) + "\n", encoding="utf-8")
    (folder / "1_Normalize" / "config.json").write_text("{}\n", encoding="utf-8")
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    # Not save_file, which writes for the owner alone whatever the umask is.
    (folder / "model.safetensors").write_bytes(save({"embedding.weight": vectors.astype(np.float16)}))
    return folder
