"""Verdicts: outcome, explanation and strength of every claim, from the tests that its check asked; no report is named in here."""

import importlib.util
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regen.claims.case import Case, Check, Number, Part, Strength, Test, shortfall
from regen.claims.errata import RANKS, read_errata
from regen.claims.interval import LEVEL
from regen.claims.study import OTHERWISE, OUTCOMES, STUDIES, Claim, Sentences, fields, read_claims
from regen.common.errors import UserError
from regen.common.presets import command_of, pipeline_of
from regen.params.schema import ReportConfig
from regen.results import Missing, Results

__all__ = ["checks_of", "judge", "judged"]

WORDS = {True: "reproduced", False: "not reproduced", None: "undecided"}
STRENGTHS = ("firm", "indicative", "none")
MINUS = "\N{MINUS SIGN}"


def judge(config: ReportConfig, root: Path, studies: Path = STUDIES) -> dict[str, Any]:
    """Return the claims of the reports with their verdicts, the errata, and the counts.

    Raises
    ------
    UserError
        If a study does not fit its checks.
    """
    results = Results(config, root)
    rows: list[dict[str, Any]] = []
    errata: list[dict[str, Any]] = []
    firm = intervals = 0
    for report in config.reports:
        folder = studies / report
        checks = checks_of(folder)
        for claim in read_claims(folder):
            case = judged(checks[claim.id], results)
            row = _row(claim, report, case, results)
            rows.append(row)
            if row["strength"] == "firm" and claim.kind != "question":
                firm += 1
                intervals += sum(test.low is not None for part in _observed(case) for test in part.deciding)
        errata += [{**one.model_dump(), "report": report} for one in read_errata(folder)]
    return {
        "preset": config.preset,
        "level": LEVEL,
        "counts": _counts(rows, errata),
        "chance": {
            "firm": firm,
            "intervals": intervals,
            "wrong_at_most": round(intervals * (1 - LEVEL), 4),
        },
        "claims": rows,
        "errata": errata,
    }


def checks_of(folder: Path) -> dict[str, Check]:
    """Return the claim -> its check, of a study's checks.py; none where the study lacks it."""
    name, file = f"regen_studies_{folder.name}", folder / "checks.py"
    if not file.exists():
        return {}
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return {function.claim: function for function in vars(module).values() if hasattr(function, "claim")}


def judged(check: Check, results: Results) -> Case:
    """Return the case of a claim after its check."""
    case = Case(results, vars(check)["gives"])
    check(case)
    return case


def _observed(case: Case) -> list[Part]:
    return [part for part in case.parts if part.of == "observation"]


def _row(claim: Claim, report: str, case: Case, results: Results) -> dict[str, Any]:
    observed = _observed(case)
    outcome = _outcome([part.holds for part in observed])
    strength, reasons = _strength(claim, outcome, observed)
    variants = _variants(claim, case, results)
    explanation = _explanation(claim, case)
    open_ = (
        outcome == "undecided" or (explanation or {}).get("verdict") in ("untested", "possible") or any(not part.tests for part in observed)
    )
    return {
        "id": claim.id,
        "report": report,
        "kind": claim.kind,
        "where": claim.where,
        "statement": claim.statement,
        "outcome": outcome,
        "sentence": _sentence(claim.sentences, outcome, case.numbers) or _plain(observed),
        "explanation": explanation,
        "strength": strength,
        "reasons": reasons,
        "parts": [_part(part) for part in case.parts],
        "tests": [dict(vars(test)) for part in case.parts for test in part.tests],
        "numbers": [vars(number) for number in case.numbers.values()],
        "variants": variants,
        "seeds": {name: _seeds(results, case, name) for name in variants},
        "data": _data(results, variants),
        "epochs": _epochs(results, variants),
        "missing": list(dict.fromkeys(line for part in case.parts for line in part.missing)),
        "decides": claim.decides if open_ else [],
        "notes": [note for template in claim.notes if (note := _filled(template, case.numbers))],
        "commands": _commands(results, case, variants, claim.decides if open_ else []),
        "figures": claim.figures,
        "reported": claim.reported,
    }


def _outcome(answers: Sequence[bool | None]) -> str:
    """Return the outcome of the parts: reproduced if all hold, partly if some do, not reproduced if one fails and none holds."""
    if True in answers:
        return "reproduced" if all(answers) else "partly"
    return "not reproduced" if False in answers else "undecided"


def _strength(claim: Claim, outcome: str, parts: Sequence[Part]) -> tuple[Strength, list[str]]:
    """Return how far the outcome can be relied on, and what keeps it from being firm: as far as the weakest part that it rests on."""
    resting = [part for part in parts if part.tests and (outcome == "undecided" or part.holds is not None)]
    if not resting:
        return "none", ["not measured"]
    reasons: dict[str, None] = {}
    for part in parts:
        before = f"{part.name}: " if part.name and len(parts) > 1 else ""
        if part in resting:
            reasons |= {
                f"{before}{reason}": None for test in part.deciding if test.strength == part.strength != "firm" for reason in test.reasons
            }
        elif part.missing:
            reasons[f"{before}not measured"] = None
        elif part.holds is None and outcome == "partly":
            reasons |= {f"{before}{reason}": None for reason in _open(part.tests)}
    strength = max((part.strength for part in resting), key=STRENGTHS.index)
    if strength != "none" and claim.differs:
        reasons[claim.differs] = None
    if strength == "firm" and (outcome == "undecided" or reasons):
        strength = "indicative"
    if outcome == "undecided" and strength != "none":
        reasons |= dict.fromkeys(_open([test for part in resting for test in part.tests]))
    return strength, list(reasons)


def _open(tests: Sequence[Test]) -> list[str]:
    """Return why tests decide nothing."""
    whys = [test.why or ("between the ends of the cut" if test.low is None else "within the error") for test in tests if test.holds is None]
    return list(dict.fromkeys(whys))


def _explanation(claim: Claim, case: Case) -> dict[str, str] | None:
    if claim.explanation is None:
        return None
    answers = [part.holds for part in case.parts if part.of == "explanation" and part.tests]
    if not answers:
        verdict = "untested"
    elif False in answers:
        verdict = "does not hold"
    else:
        verdict = "possible" if None in answers else claim.explanation.at_most
    sentence = _sentence(claim.explanation.sentences, verdict, case.numbers)
    return {"statement": claim.explanation.statement, "verdict": verdict, "sentence": sentence}


class _Shown:
    """A number as a template writes it: as its check rounds it, or in a format of the template's own; with a true minus sign."""

    def __init__(self, number: Number) -> None:
        self.number = number

    def __format__(self, form: str) -> str:
        written = format(self.number.value, form) if form else self.number.text
        return MINUS + written[1:] if written.startswith("-") and not isinstance(self.number.value, str) else written


def _sentence(sentences: Sentences, verdict: str, numbers: Mapping[str, Number]) -> str:
    """Return the first template of a verdict whose numbers are all there; empty if there is none."""
    for key in (verdict, OTHERWISE):
        told = sentences.get(key, [])
        for template in [told] if isinstance(told, str) else told:
            if sentence := _filled(template, numbers):
                return sentence
    return ""


def _filled(template: str, numbers: Mapping[str, Number]) -> str:
    """Return a template with its numbers; empty if one is not there."""
    if any(name not in numbers for name in fields(template)):
        return ""
    return template.format(**{name: _Shown(number) for name, number in numbers.items()})


def _plain(parts: Sequence[Part]) -> str:
    """Return a sentence where a study has none."""
    tests = [test for part in parts for test in part.tests]
    if not tests:
        return "Not measured yet."
    holds = sum(test.holds is True for test in tests)
    within = sum(test.holds is None for test in tests)
    return f"{holds} of {len(tests)} tests hold{f', {within} lie within the error' if within else ''}."


def _part(part: Part) -> dict[str, Any]:
    reasons = dict.fromkeys(reason for test in part.deciding for reason in test.reasons)
    outcome = WORDS[part.holds]
    return {
        "part": part.name,
        "of": part.of,
        "outcome": outcome,
        "strength": part.strength,
        "reasons": list(reasons),
        "missing": part.missing,
    }


def _variants(claim: Claim, case: Case, results: Results) -> list[str]:
    read = [name for part in case.parts for test in part.tests for name in test.variants]
    return list(dict.fromkeys(name for name in [*claim.variants, *read] if name in results.config.variants))


def _seeds(results: Results, case: Case, variant: str) -> list[int]:
    """Return the seeds that ran: of them the first where tests read the variant through probes alone, which are of one seed."""
    try:
        ran = sorted({*results.histories(variant), *results.metrics(variant), *results.quality(variant)})
    except UserError:
        return []
    read = [test.variants for part in case.parts for test in part.tests if variant in test.variants]
    probed = bool(read) and all(any(name not in results.config.variants for name in names) for names in read)
    return ran[:1] if probed else ran


def _data(results: Results, variants: Sequence[str]) -> dict[str, dict[str, str]]:
    sources = {results.config.variants[name].dataset: results.config.variants[name].data_source for name in variants}
    notes = {}
    for dataset in sources:
        try:
            notes[dataset] = shortfall(results, dataset)
        except (UserError, LookupError, TypeError) as error:
            notes[dataset] = f"the data card cannot be read: {error}"
    return {dataset: {"source": source, "note": notes[dataset]} for dataset, source in sources.items()}


def _epochs(results: Results, variants: Sequence[str]) -> dict[str, list[int]]:
    """Return the variant -> epochs that were run and that the report has, of those that were cut short."""
    short = {}
    for name in variants:
        declared = results.config.variants[name].training.epochs
        try:
            ran = results.epochs(name)
        except (Missing, UserError):
            continue
        if ran < declared:
            short[name] = [ran, declared]
    return short


def _commands(results: Results, case: Case, read: Sequence[str], deciding: Sequence[str]) -> list[str]:
    """Return what runs the evidence again that was read and, where some is missing, what runs all that would decide the claim."""
    preset = results.config.preset
    tested = (name for part in case.parts for test in part.tests for name in test.variants)
    ran = [name for name in read if _seeds(results, case, name)]
    lacking = deciding if any(part.missing for part in case.parts) else []
    waiting = [name for name in [*read, *lacking] if name in results.config.variants and (name in lacking or name not in ran)]
    probes = [name for name in [*tested, *deciding] if name not in results.config.variants]
    again, first = f"make verify PRESET={preset}", command_of(preset)
    return [
        *(f'{command} VARIANT="{" ".join(dict.fromkeys(names))}"' for command, names in ((again, ran), (first, waiting)) if names),
        *(f"dvc repro {pipeline_of(preset, 'probe')}:probe-{name}" for name in dict.fromkeys(probes)),
    ]


def _counts(rows: Sequence[Mapping[str, Any]], errata: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    claims = [row for row in rows if row["kind"] != "question"]
    explained = [row["explanation"]["verdict"] for row in claims if row["explanation"]]
    return {
        "claims": len(claims),
        "questions": len(rows) - len(claims),
        "outcome": _counted((row["outcome"] for row in claims), OUTCOMES),
        "strength": _counted((row["strength"] for row in claims), STRENGTHS),
        "explanation": _counted(explained, ("holds", "does not hold", "possible", "untested")),
        "errata": _counted((one["rank"] for one in errata), RANKS),
    }


def _counted(found: Any, words: Sequence[str]) -> dict[str, int]:
    counts = Counter(found)
    return {word: counts[word] for word in words}
