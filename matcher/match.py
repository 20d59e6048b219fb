"""The matcher: a query in, ranked occupations with their proof out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from matcher._version import __version__
from matcher.abstention import Abstention
from matcher.contributions import Seen, by_phrase
from matcher.encoder import MINILM, Encoder, load_encoder
from matcher.explain import evidence
from matcher.given import AdviceError, Given
from matcher.groups import groups_of
from matcher.index import OccupationIndex
from matcher.ranker import EqualWeights, LearnedRanker, Ranker, RankerError, Ranking
from matcher.records import Evidence, Kind, Match, Query, Wage
from matcher.resources import abstention_path, accurate_path, encoder_path, index_path, ranker_path
from matcher.resume import read_query
from matcher.signals import QueryVectors
from matcher.standing import standings

if TYPE_CHECKING:
    from matcher.gaps import Gaps
    from matcher.groups import Group
    from matcher.moves import Comparison, Moves
    from matcher.plots import MatchPlots
    from matcher.whatif import Addition, Opening, Trial, WhatIf

INTERESTS = "RIASEC"
#: Where no model of abstention was fitted for the encoder: a text less like any occupation than this gets no ranking.
LEAST_LIKENESS = 0.33
#: A title or a skill may be new to us; only one of which nothing at all is known gets no ranking.
LEAST_LIKENESS_OF_A_NAME = 0.1


class FilterError(ValueError):
    """A filter's value is not one; the text names the filter, the value and what was expected."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which occupations may be answered. An occupation that lacks a filtered value (wage, job zone, interests) is left out.

    ``interests`` keeps occupations among whose leading interests (O*NET's RIASEC) all the given letters are.
    """

    job_zone: tuple[int, ...] = ()
    major_group: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    exclude_major_group: tuple[str, ...] = ()
    min_median_wage: float | None = None
    interests: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for zone in self.job_zone:
            if zone not in (1, 2, 3, 4, 5):
                raise FilterError(f"job_zone: {zone!r}, expected 1 to 5")
        for name in ("major_group", "exclude_major_group"):
            for group in getattr(self, name):
                if not (isinstance(group, str) and len(group) == 2 and group.isdigit()):
                    raise FilterError(f"{name}: {group!r}, expected two digits such as '15'")
        for letter in self.interests:
            if letter not in tuple(INTERESTS):
                raise FilterError(f"interests: {letter!r}, expected letters of {INTERESTS}")
        if self.min_median_wage is not None and not 0 <= self.min_median_wage < float("inf"):
            raise FilterError(f"min_median_wage: {self.min_median_wage!r}, expected dollars a year, 0 or more")

    def allowed(self, index: OccupationIndex) -> tuple[npt.NDArray[np.bool_] | None, tuple[str, ...]]:
        """Return (n_occupations,) which may be answered (None for all) and warnings that count those without a known value."""
        if self == Filters():
            return None, ()
        unknown_codes = [code for code in self.exclude if code not in index.row_of]
        if unknown_codes:
            raise FilterError(f"exclude: {unknown_codes[0]!r} is not a code of this index, expected one such as '15-1252.00'")
        groups = {entry.code[:2] for entry in index.entries}
        keep = np.ones(len(index), dtype=bool)
        warnings = [
            f"filter {name}: {group!r} is not in this index, which has {' '.join(sorted(groups))}"
            for name in ("major_group", "exclude_major_group")
            for group in dict.fromkeys(getattr(self, name))
            if group not in groups
        ]
        for name, value_of, passes in (
            ("job_zone", lambda e: e.job_zone, lambda zone: zone in self.job_zone),
            ("min_median_wage", _annual, lambda annual: annual >= self.min_median_wage),
            ("interests", lambda e: e.interests or None, lambda letters: all(x in letters for x in self.interests)),
        ):
            if getattr(self, name) in ((), None):
                continue
            values = [value_of(entry) for entry in index.entries]
            missing = sum(value is None for value in values)
            keep &= np.array([value is not None and bool(passes(value)) for value in values])
            if missing:
                warnings.append(f"filter {name}: {missing} occupations left out because their value is unknown")
        for row, entry in enumerate(index.entries):
            if self.major_group and entry.code[:2] not in self.major_group:
                keep[row] = False
            if entry.code in self.exclude or entry.code[:2] in self.exclude_major_group:
                keep[row] = False
        return keep, tuple(warnings)


def _has_text(query: Query) -> bool:
    return any(phrase.source in ("text", "file") for phrase in query.phrases)


def _annual(entry: Any) -> float | None:
    """Return the yearly median; where BLS gives only an hourly one, 2,080 hours of it, as BLS itself converts."""
    wage: Wage | None = entry.wage
    if wage is None:
        return None
    if wage.median_annual is not None:
        return wage.median_annual
    return None if wage.median_hourly is None else wage.median_hourly * 2080


@dataclass(frozen=True, slots=True)
class Matches(Sequence[Match]):
    """The answer to one query: its matches in order, how it was read, and what made it. ``to_dict`` is the wire format."""

    matches: tuple[Match, ...]
    query: Query
    engine: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    id: str | None = None
    groups: tuple[Group, ...] = ()
    given: Given | None = field(default=None, repr=False, compare=False)
    _trials: list[Trial] = field(default_factory=list, repr=False, compare=False)

    @property
    def status(self) -> Literal["ok", "insufficient"]:
        """``insufficient`` where a ranking would be invented; ``reasons`` then says why."""
        return "insufficient" if self.reasons else "ok"

    def __len__(self) -> int:
        return len(self.matches)

    def __getitem__(self, place: Any) -> Any:
        return self.matches[place]

    def __iter__(self) -> Iterator[Match]:
        return iter(self.matches)

    def gap(self, code: str) -> Gaps:
        """Return the statements of any occupation, each met, partly met or not found in what was given."""
        from matcher.gaps import gaps_of

        return gaps_of(self._given(), code)

    def what_if(self, *, add: Sequence[str] = (), remove: Sequence[str] = (), code: str | None = None) -> WhatIf:
        """Return ranks and scores before and after lines are added or removed; only the change is encoded."""
        from matcher.whatif import what_if

        return what_if(self._trial(), add=add, remove=remove, code=code)

    def best_additions(self, code: str) -> tuple[Addition, ...]:
        """Return the three statements of an occupation whose adding would lift it most, if they are true."""
        from matcher.whatif import best_additions

        return best_additions(self._trial(), code)

    def opens_most(self) -> tuple[Opening, ...]:
        """Return the skills that would lift most of the near occupations, if they are true."""
        from matcher.whatif import opens_most

        return opens_most(self._trial())

    def moves(self, *, top: int = 10, start: str | None = None, **wish: Any) -> Moves:
        """Return occupations to go on to; the wishes are those of ``matcher.moves.Wish``, such as ``pays_more=0.1``."""
        from matcher.moves import Wish, moves

        return moves(self._given(), wish=Wish(**wish), top=top, start=start)

    def to_frame(self) -> Any:
        """Return a pandas DataFrame, one row a match (extra ``notebooks``)."""
        from matcher.frames import matches_frame

        return matches_frame(self.matches)

    def evidence_frame(self) -> Any:
        """Return a pandas DataFrame, one row a pair of evidence (extra ``notebooks``)."""
        from matcher.frames import evidence_frame

        return evidence_frame(self.matches)

    @property
    def plot(self) -> MatchPlots:
        """The answer's figures, such as ``answer.plot.ranked()`` (extra ``notebooks``)."""
        from matcher.plots import MatchPlots

        return MatchPlots(self)

    def _repr_html_(self) -> str:
        from matcher.frames import matches_html

        return matches_html(self.matches, note=", ".join(self.reasons) or self.engine["release"])

    def _given(self) -> Given:
        if self.given is None:
            raise AdviceError(f"no advice: nothing to compare with was given ({', '.join(self.reasons)})")
        return self.given

    def _trial(self) -> Trial:
        if not self._trials:
            from matcher.whatif import Trial

            self._trials.append(Trial(self._given()))
        return self._trials[0]

    def to_dict(self, *, return_text: bool = False, offset_unit: Literal["code_point", "utf16"] = "code_point") -> dict[str, Any]:
        """Return the answer as JSON values; offsets in code points, or in UTF-16 units for JavaScript."""
        units = None
        if offset_unit == "utf16":
            units = {place: _Units(wide) for place, wide in self.query.wide.items()}
            units["file"] = main = _Units.of(self.query.text)
            units["text"] = main if self.query.typed is None else _Units.of(self.query.typed)
        answer: dict[str, Any] = {"id": self.id, "status": self.status}
        if self.reasons:
            answer["reasons"] = list(self.reasons)
        answer["matches"] = [_match_dict(match, units) for match in self.matches]
        answer["groups"] = [group.to_dict() for group in self.groups]
        answer["query"] = {
            "phrases": len(self.query.phrases),
            "language": self.query.language,
            "jobs": [
                {"title": job.title, "start": _date(job.start), "end": _date(job.end), "current": job.current}
                for job in self.query.jobs
            ],
            "degrees": list(self.query.degrees),
            "set_aside": dict(self.query.set_aside),
            "truncated": self.query.truncated,
            "text": self.query.text if return_text else None,
        }
        answer["engine"] = dict(self.engine)
        answer["warnings"] = list(self.warnings)
        return answer

    def to_json(self, *, indent: int | None = None) -> str:
        """Return ``to_dict`` as one JSON document."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)


class _Units:
    """Code points to UTF-16 units of one text: characters beyond U+FFFF, which stand at ``wide``, count two."""

    def __init__(self, wide: Sequence[int]) -> None:
        self._wide = np.array(wide, dtype=np.int64)

    @classmethod
    def of(cls, text: str | None) -> _Units:
        return cls([i for i, c in enumerate(text or "") if ord(c) > 0xFFFF])

    def at(self, point: int) -> int:
        return point + int(np.searchsorted(self._wide, point))


def _date(date: tuple[int, int | None] | None) -> str | None:
    if date is None:
        return None
    year, month = date
    return f"{year:04d}" if month is None else f"{year:04d}-{month:02d}"


def _match_dict(match: Match, units: Mapping[str, _Units] | None) -> dict[str, Any]:
    wage = match.wage
    return {
        "rank": match.rank,
        "code": match.code,
        "title": match.title,
        "score": match.score,
        "confidence": match.confidence,
        "fusion": match.fusion,
        "soc_2018": match.code[:7],
        "href": f"/v1/occupations/{match.code}",
        "onet_online": f"https://www.onetonline.org/link/summary/{match.code}",
        "job_zone": match.job_zone,
        "median_wage": None
        if wage is None
        else {
            "annual": wage.median_annual,
            "hourly": wage.median_hourly,
            "currency": "USD",
            "source": wage.source,
            "soc": wage.soc,
            "match": wage.match,
        },
        "evidence": [_evidence_dict(pair, units) for pair in match.evidence],
        "gaps": [
            {"kind": "knowledge", "id": identity, "name": name, "importance": importance, "status": "not_found"}
            for identity, name, importance in match.gaps
        ],
    }


def _evidence_dict(pair: Evidence, units: Mapping[str, _Units] | None) -> dict[str, Any]:
    phrase = pair.phrase
    start, end = phrase.start, phrase.end
    if units is not None:
        own = units.get(phrase.source if phrase.pointer is None else phrase.pointer)
        before = own.at(start) if own else start
        start, end = before, before + len(phrase.raw.encode("utf-16-le", "surrogatepass")) // 2
    return {
        "kind": str(pair.kind),
        "id": pair.id,
        "statement": pair.statement,
        "importance": pair.importance,
        "source": phrase.source,
        "phrase": phrase.raw,
        "start": start,
        "end": end,
        "pointer": phrase.pointer,
        "similarity": pair.similarity,
        "contribution": pair.contribution,
    }


def read_inputs(
    *,
    document: Path | bytes | None = None,
    name: str | None = None,
    text: str | None = None,
    skills: Sequence[str] | None = None,
    title: str | None = None,
    resume: Mapping[str, Any] | None = None,
) -> Query:
    """Read everything that a person gave into one query.

    A document without readable text leaves the other inputs; where there are none, the query has the reason and no phrases. Raises
    QueryError or DocumentError for bad input.
    """
    if document is None:
        return read_query(text=text, skills=skills, title=title, resume=resume)
    from matcher.documents import UnreadableText, read_document

    try:
        return read_query(text=text, skills=skills, title=title, resume=resume, document_text=read_document(document, name=name))
    except UnreadableText as error:
        if text is None and skills is None and title is None and resume is None:
            return Query((), reasons=("no_text_layer" if error.reason == "no_text_layer" else "garbled_text",))
        return read_query(text=text, skills=skills, title=title, resume=resume)


def _sorted_out(source: str | Path | Mapping[str, Any] | None) -> tuple[Path | None, str | None, Mapping[str, Any] | None]:
    """Return ``source`` as (document, text, JSON Resume), the other two None."""
    if isinstance(source, Path):
        return source, None, None
    if isinstance(source, Mapping):
        return None, None, source
    return None, source, None


class Matcher:
    """Ranks the occupations of one index for queries. Safe to share between threads: nothing in it changes."""

    def __init__(
        self,
        index: OccupationIndex,
        encoder: Encoder,
        ranker: Ranker | None = None,
        *,
        abstention: Abstention | None = None,
        accurate: Ranker | None = None,
    ) -> None:
        self.index = index
        self.encoder = encoder
        self.ranker: Ranker = ranker or EqualWeights()
        self.accurate = accurate
        self.abstention = abstention
        self.engine: Mapping[str, str] = {
            "release": str(index.manifest["source"]),
            "index": index.digest,
            "encoder": f"{encoder.name} {encoder.digest[:19]}",
            "ranker": self.ranker.name,
            "version": __version__,
        }

    @classmethod
    def load(
        cls,
        index: Path | str | None = None,
        *,
        encoder: Encoder | str | Path | None = None,
        accurate: Path | str | None = None,
    ) -> Matcher:
        """Open an index (the bundled one by default) and the encoder that it was made with.

        Weights and probabilities are those of the learned ranker where that was fitted for the encoder and the index has (nearly) all
        occupations, else equal weights without probabilities. Without ``encoder`` it is the bundled one, or MiniLM for an index made with that; another model is to be named. With ``accurate``,
        an index of the same occupations that MiniLM made, ``match(…, accurate=True)`` asks MiniLM too (extra ``transformers``). Raises
        OccupationIndexError, EncoderError, RankerError, AbstentionError or ResourceError where something is missing, corrupt or foreign.
        """
        opened = OccupationIndex.load(index_path() if index is None else index)
        if encoder is None:
            encoder = MINILM if opened.manifest["encoder"]["name"] == MINILM else encoder_path()
        chosen = encoder if isinstance(encoder, Encoder) else load_encoder(encoder)
        opened.require(chosen)
        learned, abstention = LearnedRanker.load(ranker_path()), Abstention.load(abstention_path())
        slower: Ranker | None = None
        if accurate is not None:
            from matcher.accurate import AccurateRanker, SecondOpinion

            slower = AccurateRanker.load(accurate_path(), SecondOpinion.load(accurate, load_encoder(MINILM)), opened)
        return cls(
            opened,
            chosen,
            learned if learned.suits(opened) else EqualWeights(),
            # It counts words that the index lacks: one of few occupations lacks most.
            abstention=abstention if abstention.encoder == chosen.digest and len(opened) >= learned.least_occupations else None,
            accurate=slower,
        )

    def match(
        self,
        source: str | Path | Mapping[str, Any] | None = None,
        *,
        text: str | None = None,
        skills: Sequence[str] | None = None,
        title: str | None = None,
        resume: Mapping[str, Any] | None = None,
        top: int = 10,
        explain: bool = True,
        filters: Filters | None = None,
        id: str | None = None,
        accurate: bool = False,
    ) -> Matches:
        """Rank occupations for a query.

        ``source`` is a text, the path of a document (PDF, DOCX, text, Markdown, JSON Resume) or a JSON Resume as a mapping; several
        inputs at once are one query. ``top`` is 1–100. Raises QueryError, DocumentError or FilterError for bad input, and RankerError for
        ``accurate`` where that was not loaded.
        """
        if not 1 <= top <= 100:
            raise FilterError(f"top: {top!r}, expected 1 to 100")
        document, given_text, given_resume = _sorted_out(source)
        query = read_inputs(
            document=document,
            text=text if given_text is None else given_text,
            skills=skills,
            title=title,
            resume=resume if given_resume is None else given_resume,
        )
        return self.match_query(query, top=top, explain=explain, filters=filters, id=id, accurate=accurate)

    def match_query(
        self,
        query: Query,
        *,
        top: int = 10,
        explain: bool = True,
        filters: Filters | None = None,
        id: str | None = None,
        accurate: bool = False,
    ) -> Matches:
        """Rank occupations for a query that has been read."""
        ranker = self.ranker
        if accurate:
            if self.accurate is None:
                raise RankerError("accurate: not loaded; expected Matcher.load(accurate=DIR), an index that minilm made")
            ranker = self.accurate
        engine = {**self.engine, "ranker": ranker.name}
        allowed, warnings = (filters or Filters()).allowed(self.index)
        if query.reasons:
            return Matches((), query, engine, warnings, tuple(query.reasons), id)
        given = Given.of(self, query)
        vectors = given.vectors
        seen = Seen()
        ranking = ranker.rank(self.index, vectors, allowed, best=seen)
        if not self._is_about_work(given, ranking):
            return Matches((), query, engine, warnings, ("nothing_recognised",), id)
        rows = ranking.rows[:top].tolist()
        shares = by_phrase(self.index, vectors, ranking, seen, len(rows)) if explain else np.zeros((len(rows), 0))
        pairs = evidence(self.index, vectors, rows, shares) if explain else [()] * len(rows)
        lacks = self._missing(vectors, ranking, rows) if explain else [()] * len(rows)
        matches = []
        for place, (row, proof, gaps) in enumerate(zip(rows, pairs, lacks, strict=True)):
            entry = self.index.entries[row]
            score = None if ranking.score is None else round(float(ranking.score[place]), 4)
            matches.append(
                Match(
                    rank=place + 1,
                    code=entry.code,
                    title=entry.title,
                    fusion=round(float(ranking.fusion[place]), 6),
                    score=score,
                    confidence=None if score is None else ranker.confidence(score),
                    job_zone=entry.job_zone,
                    wage=entry.wage,
                    evidence=proof,
                    contributions=tuple(zip(ranking.columns, ranking.contributions[place].tolist(), strict=True)),
                    gaps=gaps,
                    phrases=tuple(enumerate(shares[place].tolist())),
                )
            )
        groups = groups_of(self.index, ranking).major if ranking.score is not None and len(ranking.rows) else ()
        return Matches(tuple(matches), query, engine, warnings, (), id, groups, given)

    def _is_about_work(self, given: Given, ranking: Ranking) -> bool:
        if not _has_text(given.query):
            return ranking.likeness >= LEAST_LIKENESS_OF_A_NAME
        query = given.query
        # What has the form of a résumé is one, however mistyped: the model's words and cosines sink with every typing error.
        has_form = bool(query.jobs or query.degrees) or any(phrase.role == "title" for phrase in query.phrases)
        if self.abstention is None or has_form:
            return ranking.likeness >= LEAST_LIKENESS
        return self.abstention.log_odds(self.index, given.vectors, near=ranking.near, best=ranking.best) >= 0

    def _missing(
        self, vectors: QueryVectors, ranking: Ranking, rows: list[int]
    ) -> list[tuple[tuple[str | None, str, int | None], ...]]:
        from matcher.gaps import missing_knowledge

        at = standings(self.index, vectors, kinds=(Kind.KNOWLEDGE,), like=ranking.alike)
        return missing_knowledge(self.index, vectors, rows, at)

    def gap(self, source: str | Path | Mapping[str, Any], code: str) -> Gaps:
        """Return the statements of ``code``, each met, partly met or not found in ``source`` (as in ``match``)."""
        from matcher.gaps import gap

        document, text, resume = _sorted_out(source)
        return gap(self, read_inputs(document=document, text=text, resume=resume), code)

    def compare(self, *codes: str) -> Comparison:
        """Return two or three occupations side by side."""
        from matcher.moves import compare

        return compare(self.index, *codes)

    def moves_from(self, code: str, *, top: int = 10, **wish: Any) -> Moves:
        """Return occupations to go on to from ``code``; the wishes are those of ``matcher.moves.Wish``."""
        from matcher.moves import Wish, moves

        return moves((self.index, code), wish=Wish(**wish), top=top)

    def match_many(self, texts: Iterable[str], **options: Any) -> list[Matches]:
        """Rank occupations for each text; the same answers as one by one."""
        return [self.match(text=text, **options) for text in texts]
