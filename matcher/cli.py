"""The command line: ``matcher fetch | index | match | gap | what-if | moves | compare | batch | evaluate | audit | about | serve | keys |
train | catalog``.

Exit codes: 0 done, 1 the input or an item of it was bad, 2 usage, 3 the index or a model is missing, corrupt or foreign.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

# One match is too small to share: a second BLAS thread doubles its processor time and gains nothing. Set before NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from matcher.advice_cli import advice_app
from matcher.audit_cli import audit

if TYPE_CHECKING:
    from matcher.intervals import Estimate
    from matcher.match import Filters, Matcher
    from matcher.records import Release

app = typer.Typer(
    name="matcher",
    help="Which occupations does a résumé fit? Ranked O*NET occupations, each with its proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
train_app = typer.Typer(help="Train the encoder and the ranker (extra `train`).", no_args_is_help=True)
catalog_app = typer.Typer(help="The starter catalogue.", no_args_is_help=True)
app.add_typer(train_app, name="train")
app.add_typer(catalog_app, name="catalog")
app.registered_commands.extend(advice_app.registered_commands)
app.command()(audit)


def main() -> None:
    """Run the command line; every failure that a user can cause ends in one line on standard error, never in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal of another encoding, or text with lone surrogates, must not stop an answer.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        _fail("stopped", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except ValueError as error:
        _fail(str(error), _exit_code(error))
    except OSError as error:
        _fail(f"{error.filename or 'input'}: {error.strerror or type(error).__name__}", 1)
    except (MemoryError, RecursionError) as error:
        _fail(f"the input is too costly to read ({type(error).__name__})", 1)
    except Exception as error:  # noqa: BLE001 - a traceback tells a user nothing, and could hold what they gave
        _fail(f"an internal error ({type(error).__name__}); please report it with the command, not with your text", 1)


#: What documents may have, and one byte more is enough to see that they have too much.
_MOST_INPUT = 20_000_000


def _exit_code(error: ValueError) -> int:
    from matcher.resources import ResourceError

    if type(error).__name__ == "FilterError":
        return 2
    modules = {"matcher.index", "matcher.encoder"}
    return 3 if isinstance(error, ResourceError) or type(error).__module__ in modules else 1


def _fail(message: str, code: int) -> None:
    print(f"matcher: {message}", file=sys.stderr)  # noqa: T201
    sys.exit(code)


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201


class Baseline(str, Enum):
    """What a ranking can be read beside."""

    RANDOM = "random"
    BM25 = "bm25"
    TFIDF = "tfidf"


class Engine(str, Enum):
    """What a batch runs on."""

    LOCAL = "local"
    RAY = "ray"


IndexOption = Annotated[
    Path | None,
    typer.Option("--index", envvar="MATCHER_INDEX", help="Folder of an index; the bundled one by default.", show_default=False),
]
TopOption = Annotated[int, typer.Option("--top", min=1, max=100, help="How many occupations.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
ExplainOption = Annotated[bool, typer.Option("--explain/--no-explain", help="Show the evidence of each match.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", help="Tell what was dropped and why.")]
ZoneOption = Annotated[list[int] | None, typer.Option("--job-zone", help="Only these job zones (1-5); repeat for several.")]
GroupOption = Annotated[list[str] | None, typer.Option("--major-group", help="Only these major groups, e.g. 15.")]
ExcludeOption = Annotated[list[str] | None, typer.Option("--exclude", help="Leave out these codes.")]
ExcludeGroupOption = Annotated[list[str] | None, typer.Option("--exclude-major-group", help="Leave out these major groups.")]
WageOption = Annotated[float | None, typer.Option("--min-median-wage", help="At least this median pay, in dollars a year.")]
EncoderOption = Annotated[
    str | None, typer.Option("--encoder", help="The encoder the index was made with, if neither the bundled one nor minilm.")
]
InterestOption = Annotated[str, typer.Option("--interests", help="Leading interests, letters of RIASEC, e.g. RI.")]


def _filters(
    zones: list[int] | None,
    groups: list[str] | None,
    exclude: list[str] | None,
    exclude_groups: list[str] | None,
    wage: float | None,
    interests: str,
) -> Filters:
    from matcher.match import Filters

    return Filters(
        job_zone=tuple(zones or ()),
        major_group=tuple(groups or ()),
        exclude=tuple(exclude or ()),
        exclude_major_group=tuple(exclude_groups or ()),
        min_median_wage=wage,
        interests=tuple(interests.upper()),
    )


def _load(index: Path | None, encoder: str | None = None, accurate: Path | None = None) -> Matcher:
    from matcher.match import Matcher

    return Matcher.load(index, encoder=encoder, accurate=accurate)


@app.command()
def match(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|-]",
            help="A résumé: PDF, DOCX, text, Markdown or JSON Resume; - reads it from standard input.",
        ),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="A text instead of a file, or with it.")] = None,
    skill: Annotated[list[str] | None, typer.Option("--skill", help="A skill; repeat for several.")] = None,
    title: Annotated[str | None, typer.Option("--title", help="A job title.")] = None,
    index: IndexOption = None,
    encoder: EncoderOption = None,
    top: TopOption = 10,
    as_json: JsonOption = False,
    explain: ExplainOption = True,
    return_text: Annotated[bool, typer.Option("--return-text", help="With --json: the text that offsets refer to.")] = False,
    accurate: Annotated[bool, typer.Option("--accurate", help="Ask MiniLM too: some seconds (extra transformers).")] = False,
    accurate_index: Annotated[
        Path | None,
        typer.Option(
            "--accurate-index",
            envvar="MATCHER_ACCURATE_INDEX",
            help="For --accurate: an index of the same occupations, by `matcher index --encoder minilm`.",
            show_default=False,
        ),
    ] = None,
    job_zone: ZoneOption = None,
    major_group: GroupOption = None,
    exclude: ExcludeOption = None,
    exclude_major_group: ExcludeGroupOption = None,
    min_median_wage: WageOption = None,
    interests: InterestOption = "",
) -> None:
    """Rank occupations for a résumé, a text, skills or a job title, each with the words that prove it."""
    if file is None and text is None and not skill and title is None:
        raise typer.BadParameter("expected a FILE (or - for standard input), --text, --skill or --title")
    if accurate and accurate_index is None:
        raise typer.BadParameter(
            "--accurate needs an index that minilm made: `matcher index --encoder minilm --out DIR` (with the --onet of the usual one), "
            "then --accurate-index DIR or MATCHER_ACCURATE_INDEX"
        )
    filters = _filters(job_zone, major_group, exclude, exclude_major_group, min_median_wage, interests)
    from matcher.match import read_inputs

    document: Path | bytes | None = (
        sys.stdin.buffer.read(_MOST_INPUT + 1) if file == "-" else Path(file) if file is not None else None
    )
    name = "standard input" if file == "-" else None
    query = read_inputs(document=document, name=name, text=text, skills=skill, title=title)
    matcher = _load(index, encoder, accurate_index if accurate else None)
    answer = matcher.match_query(query, top=top, explain=explain, filters=filters, accurate=accurate)
    if as_json:
        print(json.dumps(answer.to_dict(return_text=return_text), ensure_ascii=False, indent=1))  # noqa: T201
    else:
        from matcher.report import print_matches

        print_matches(answer)
    if answer.status == "insufficient":
        raise typer.Exit(1)


@app.command()
def fetch(
    release: Annotated[str, typer.Option("--release", help="Which release.")] = "30.1",
    out: Annotated[Path, typer.Option("--out", help="Folder of the copy.")] = Path("onet"),
    sha256: Annotated[str | None, typer.Option("--sha256", help="What the archive's digest must be.")] = None,
) -> None:
    """Download the official O*NET text release, verify and unpack it."""
    from matcher.fetch import fetch_release

    with _progress("downloading") as tell:
        fetched = fetch_release(release, out, sha256=sha256, progress=tell)
    _say(f"O*NET {release} in {fetched.folder}, archive sha256 {fetched.sha256}")


@app.command()
def index(
    out: Annotated[Path, typer.Option("--out", help="Folder of the index; replaced only when the new one is whole.")],
    onet: Annotated[list[Path] | None, typer.Option("--onet", help="An O*NET text release: folder or zip.")] = None,
    profiles: Annotated[list[Path] | None, typer.Option("--profiles", help="A folder of O*NET profile pages.")] = None,
    catalog: Annotated[Path | None, typer.Option("--catalog", help="A folder with the starter catalogue.")] = None,
    encoder: Annotated[
        str | None, typer.Option("--encoder", help="An encoder by name or path; the bundled one by default.")
    ] = None,
    verbose: VerboseOption = False,
) -> None:
    """Make an index of an O*NET release, of profile pages, or of the starter catalogue."""
    from matcher.encoder import load_encoder
    from matcher.index import build_index
    from matcher.notice import ATTRIBUTION
    from matcher.resources import data_path, encoder_path
    from matcher.wages import read_wages

    if not (onet or profiles or catalog):
        raise typer.BadParameter("expected --onet, --profiles or --catalog")
    with _progress("reading") as tell:
        release = _read_release(onet or [], profiles or [], catalog)
        for dropped in release.dropped if verbose else ():
            _say(f"{dropped.where}: dropped {dropped.what!r}: {dropped.why}")
        chosen = load_encoder(encoder_path() if encoder is None else encoder)
        wages = read_wages(data_path("wages/oews_2025_05.csv"))
        folder = build_index(release, chosen, out, wages=wages, notice=ATTRIBUTION, progress=tell)
    _say(f"{release.name}: {len(release.occupations)} occupations in {folder}")
    if release.dropped and not verbose:
        _say(f"{len(release.dropped)} things were dropped; --verbose lists them")


def _read_release(onet: list[Path], profiles: list[Path], catalog: Path | None) -> Release:
    """Read every source given; a code stands in one of them only."""
    from matcher.records import Release

    parts: list[Release] = []
    for path in onet:
        from matcher.onet import read_release

        parts.append(read_release(path))
    for path in profiles:
        from matcher.profile import read_profiles

        parts.append(read_profiles(path))
    if catalog is not None:
        from matcher.catalog import read_catalog

        parts.append(read_catalog(catalog))
    if len(parts) == 1:
        return parts[0]
    seen: dict[str, str] = {}
    for part in parts:
        for occupation in part.occupations:
            if occupation.code in seen:
                raise ValueError(f"{occupation.code} stands in {seen[occupation.code]} and in {part.name}; give one source for it")
            seen[occupation.code] = part.name
    return Release(
        name=" + ".join(part.name for part in parts),
        occupations=tuple(sorted((o for part in parts for o in part.occupations), key=lambda o: o.code)),
        job_zones=next((part.job_zones for part in parts if part.job_zones), ()),
        dropped=tuple(d for part in parts for d in part.dropped),
    )


@contextmanager
def _progress(first: str) -> Iterator[Callable[[str, float], None]]:
    """Show a bar on a terminal and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda what, share: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        job = bar.add_task(first, total=1.0)
        yield lambda what, share: bar.update(job, description=what, completed=share)


@app.command()
def batch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="Queries: a file or folder of .jsonl, .csv or .parquet with id and text, skills or title; with Ray, an address too.",
        ),
    ],
    out: Annotated[str, typer.Argument(metavar="OUT", help="Matches: .jsonl or .parquet; with Ray, a folder of Parquet parts.")],
    index: IndexOption = None,
    encoder: EncoderOption = None,
    top: TopOption = 10,
    explain: Annotated[bool, typer.Option("--explain/--no-explain", help="Write the evidence, too.")] = False,
    engine: Annotated[Engine, typer.Option("--engine", help="On this machine, or on a Ray of one or many.")] = Engine.LOCAL,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes: 1 by default, with Ray one a processor.", show_default=False)
    ] = None,
    part_rows: Annotated[int, typer.Option("--part-rows", min=1, help="With Ray: the most rows of an output file.")] = 5000,
    ray_address: Annotated[
        str | None,
        typer.Option(
            "--ray-address", envvar="RAY_ADDRESS", help="A Ray that runs; without it, one is started here.", show_default=False
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--continue", help="Go on where a run was cut off.")] = False,
    job_zone: ZoneOption = None,
    major_group: GroupOption = None,
    exclude: ExcludeOption = None,
    exclude_major_group: ExcludeGroupOption = None,
    min_median_wage: WageOption = None,
    interests: InterestOption = "",
) -> None:
    """Match a file or folder of queries; one row a query, in order, in constant memory."""
    from matcher.batch_rows import Origin

    filters = _filters(job_zone, major_group, exclude, exclude_major_group, min_median_wage, interests)
    origin = Origin(None if index is None else str(index), encoder)
    with _progress("matching") as tell:
        if engine is Engine.RAY:
            from matcher.batch_ray import run_batch_ray

            tally = run_batch_ray(
                origin,
                source,
                out,
                workers=workers,
                part_rows=part_rows,
                top=top,
                explain=explain,
                filters=filters,
                resume=resume,
                address=ray_address,
                report=_say,
                progress=lambda rows, total: tell(f"{rows} of {total} rows", rows / max(1, total)),
            )
        elif workers is not None and workers > 1:
            from matcher.batch_workers import run_batch_workers

            tally = run_batch_workers(
                origin,
                Path(source),
                Path(out),
                workers=workers,
                top=top,
                explain=explain,
                filters=filters,
                resume=resume,
                report=_say,
                progress=lambda rows: tell(f"{rows} rows", 0.0),
            )
        else:
            from matcher.batch import run_batch

            tally = run_batch(
                origin.load(),
                Path(source),
                Path(out),
                top=top,
                explain=explain,
                filters=filters,
                resume=resume,
                report=_say,
                progress=lambda rows: tell(f"{rows} rows", 0.0),
            )
    _say(f"{out}: {tally.rows} rows, {tally.insufficient} insufficient, {tally.errors} bad, {tally.digest}")
    if tally.errors:
        raise typer.Exit(1)


@app.command()
def evaluate(
    files: Annotated[list[Path], typer.Argument(metavar="QUERIES.jsonl...", help="Labelled queries.")],
    index: IndexOption = None,
    encoder: EncoderOption = None,
    baseline: Annotated[list[Baseline] | None, typer.Option("--baseline", help="Also measure this; repeat for several.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure hit@1, hit@5, hit@10, MRR and nDCG@10 on labelled queries, with 95 % intervals."""
    from matcher import evaluation
    from matcher.intervals import paired_difference

    matcher = _load(index, encoder)
    report: dict[str, Any] = {"engine": dict(matcher.engine), "files": {}}
    with _progress("evaluating") as tell:
        for number, path in enumerate(files):
            rows = evaluation.read_labelled(path)
            if strange := evaluation.unknown_labels(rows, matcher.index):
                _say(f"{path}: {len(strange)} labels are not in this index and can't be found, {strange[0]} for one")
            rankers = {"matcher": evaluation.matcher_ranker(matcher)}
            for name in baseline or ():
                rankers[name.value] = evaluation.baseline_ranker(name.value, matcher.index)
            report["files"][str(path)] = {}
            ours: dict[str, list[float]] = {}
            for name_, ranker in rankers.items():
                tell(f"{path.name}: {name_}", number / len(files))
                table = evaluation.run(ranker, rows)
                entry = {m: _estimate(e) for m, e in evaluation.summarise(table).items()}
                if name_ == "matcher":
                    ours = table
                else:
                    entry["hit@1 difference"] = _estimate(paired_difference(ours["hit@1"], table["hit@1"]))
                report["files"][str(path)][name_] = entry
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1))  # noqa: T201
    else:
        from matcher.report import print_evaluation

        print_evaluation(report)


def _estimate(estimate: Estimate) -> dict[str, float | int]:
    return {
        "mean": round(estimate.mean, 4),
        "low": round(estimate.low, 4),
        "high": round(estimate.high, 4),
        "n": estimate.n,
    }


@app.command()
def about(index: IndexOption = None, encoder: EncoderOption = None, as_json: JsonOption = False) -> None:
    """Tell which data, encoder and ranking model answer, and how to get the full release."""
    matcher = _load(index, encoder)
    manifest = matcher.index.manifest
    facts = {
        "engine": dict(matcher.engine),
        "counts": manifest["counts"],
        "notice": manifest["notice"],
        "full_release": "matcher fetch --out onet && matcher index --onet onet/30.1 --out index && matcher match --index index …",
        "limits": "A ranking of likeness of words, not a hiring decision; labels of occupations are those of the United States.",
    }
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, indent=1))  # noqa: T201
        return
    for name, value in facts.items():
        shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        print(f"{name.replace('_', ' ')}: {shown}")  # noqa: T201


@train_app.command("encoder")
def train_encoder(
    onet: Annotated[Path, typer.Option("--onet", help="An O*NET text release: folder or zip.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the model.")],
    esco: Annotated[list[Path] | None, typer.Option("--esco", help="Labelled ESCO rows to train on; repeat for several.")] = None,
    leave_out: Annotated[Path | None, typer.Option("--leave-out", help="Rows whose ids must not be trained on.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="A recipe such as models/encoder.toml.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Other seeds than the recipe's: this one and those after it.")] = None,
    teacher: Annotated[
        str, typer.Option("--teacher", help="A sentence-transformers model, by name or path, to distil from.")
    ] = "minilm",
) -> None:
    """Train the static encoder on a release and labelled ESCO rows."""
    import dataclasses

    from matcher.encoder import SentenceTransformerEncoder
    from matcher.evaluation import read_labelled
    from matcher.onet import read_release
    from matcher.training import EncoderConfig
    from matcher.training import train_encoder as train

    runs = EncoderConfig.read(config) if config else (EncoderConfig(),)
    if seed is not None:
        runs = tuple(dataclasses.replace(run, seed=seed + place) for place, run in enumerate(runs))
    excluded = {row.id for row in read_labelled(leave_out)} if leave_out else set()
    rows = [row for path in esco or () for row in read_labelled(path) if row.id not in excluded]
    with _progress("training") as tell:
        folder = train(
            read_release(onet), out, esco=rows, runs=runs, teacher=SentenceTransformerEncoder(teacher).encode, progress=tell
        )
    _say(f"encoder in {folder}")


@train_app.command("ranker")
def train_ranker(
    files: Annotated[
        list[Path], typer.Argument(metavar="QUERIES.jsonl...", help="Labelled queries that the encoder has not seen.")
    ],
    index: Annotated[list[Path], typer.Option("--index", help="An index of all occupations; repeat for several.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the model.")],
    second: Annotated[
        Path | None,
        typer.Option("--accurate-index", help="Fit the accurate mode, with this index that minilm made.", show_default=False),
    ] = None,
) -> None:
    """Fit weights and calibration of the ranking on labelled queries; prints the out-of-fold figures as JSON."""
    from matcher.accurate import SecondOpinion
    from matcher.encoder import MINILM, load_encoder
    from matcher.evaluation import read_labelled
    from matcher.fitting import fit_ranker

    opinion = SecondOpinion.load(second, load_encoder(MINILM)) if second else None
    found = fit_ranker([_load(path) for path in index], {path.name: read_labelled(path) for path in files}, out, second=opinion)
    print(json.dumps(found, indent=1))  # noqa: T201


@catalog_app.command("refresh")
def catalog_refresh(
    onet: Annotated[Path, typer.Option("--onet", help="An O*NET text release: folder or zip.")],
    catalog: Annotated[Path, typer.Option("--catalog", help="The catalogue's folder.")] = Path("data/catalog"),
) -> None:
    """Take the facts of the starter catalogue anew from a release; prose is left as it is."""
    from matcher.catalog import refresh_facts
    from matcher.onet import read_release

    changes = refresh_facts(catalog, read_release(onet))
    for name in ("new", "retired"):
        codes = getattr(changes, name)
        print(f"{name}: {len(codes)}" + "".join(f"\n  {code}" for code in codes))  # noqa: T201
    print(f"renamed: {len(changes.renamed)}" + "".join(f"\n  {c}: {a} -> {b}" for c, a, b in changes.renamed))  # noqa: T201


_PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def serve(context: typer.Context) -> None:
    """Serve the matcher over HTTP (extra `service`)."""
    _service("serve", context.args)


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def keys(context: typer.Context) -> None:
    """Make, list, revoke and rotate the keys of the service (extra `service`)."""
    _service("keys", context.args)


def _service(name: str, words: list[str]) -> None:
    """Run a command of the service, which the library does not import: it may not be installed."""
    try:
        command = importlib.import_module("api.command")
    except ModuleNotFoundError as error:
        _fail(f"{name} needs the extra `service` ({error.name} is missing): pip install 'occupation-matcher[service]'", 2)
    command.run(name, words)


if __name__ == "__main__":
    main()
