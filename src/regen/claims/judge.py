"""Verdicts: what a check finds counts only on real data, at the full schedule, with every result there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Finding
from regen.claims.ledger import Claim
from regen.claims.registry import Check
from regen.common.errors import UserError

__all__ = ["judge"]

MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, UserError, ValueError)
"""What reading a file of another form than the pipeline's can raise."""

SPLITS = {"train": "training", "validation": "validation", "test": "test"}

LATER = "The test needs runs beyond the variants of the reports; they are not made here."


def judge(claims: Sequence[Claim], checks: Mapping[str, Check], evidence: Evidence) -> list[dict[str, Any]]:
    """Return one row a claim: what it says, its verdict, why, the numbers, and the least number of seeds behind them.

    The verdict is "reproduced", "not reproduced", "partly", "not judged", or "open" for a claim whose runs are not made.
    """
    return [_row(claim, checks.get(claim.id), Evidence(evidence.config, evidence.root)) for claim in claims]


def _row(claim: Claim, check: Check | None, evidence: Evidence) -> dict[str, Any]:
    finding, lacking = _found(claim, check, evidence)
    # A variant that is not the claim's stands in a note, which decides nothing.
    beside = evidence.config.variants.keys() - set(claim.variants)
    seeds = [least for name, least in evidence.fewest.items() if finding and name not in beside]
    if claim.later:
        verdict, why = "open", LATER
    elif worthless := _guarded(_worthless, claim, evidence):
        verdict, why = "not judged", worthless
    elif lacking := _incomplete(claim, evidence, lacking):
        verdict, why = "not judged", f"{lacking} As far as measured, {finding.verdict}: {finding.why}" if finding else lacking
    else:
        assert finding is not None
        verdict, why = finding.verdict, " ".join([finding.why, *_sources(claim, evidence)])
    return {
        **claim.model_dump(exclude={"later"}),
        "verdict": verdict,
        "why": why,
        "numbers": [asdict(number) for number in finding.numbers] if finding else [],
        "seeds": min([*seeds, *(len(_epochs(evidence, variant)) for variant in claim.variants)]),
    }


def _incomplete(claim: Claim, evidence: Evidence, lacking: str) -> str:
    """Return all that keeps a check on real data from a verdict; empty if nothing does."""
    if absent := _guarded(_absent, claim, evidence):
        # What the check misses follows from it.
        return absent
    return " ".join(filter(None, (*(_guarded(reason, claim, evidence) for reason in (_shortened, _fewer)), lacking)))


def _found(claim: Claim, check: Check | None, evidence: Evidence) -> tuple[Finding | None, str]:
    """Return what the check finds, and what keeps it from a verdict."""
    if check is None:
        return None, "There is no check of this claim."
    try:
        finding = check(evidence)
    except Missing as error:
        return None, f"Missing: {error}."
    except MALFORMED as error:
        return None, f"A result cannot be read: {_line(error)}."
    return finding, f"Missing: {finding.lacking}." if finding.lacking else ""


def _guarded(reason: Callable[[Claim, Evidence], str], claim: Claim, evidence: Evidence) -> str:
    """Return a reason, also where what it is read from is missing or malformed."""
    try:
        return reason(claim, evidence)
    except Missing as error:
        return f"Missing: {error}."
    except MALFORMED as error:
        return f"A result cannot be read: {_line(error)}."


def _worthless(claim: Claim, evidence: Evidence) -> str:
    """Return why results judge nothing whatever they are: made-up data; empty if they do."""
    variants = {name: evidence.variant(name) for name in claim.variants}
    sources = {name: {variant.data_source, evidence.card(variant.dataset)["data_source"]} for name, variant in variants.items()}
    if made_up := [name for name in variants if "stand-in" in sources[name]]:
        which = "" if len(made_up) == len(variants) else f" of {_names(made_up)}"
        return f"The data{which} are stand-ins, which judge nothing."
    return ""


def _absent(claim: Claim, evidence: Evidence) -> str:
    absent = [name for name in claim.variants if not _epochs(evidence, name)]
    return f"There are no results of {_names(absent)}." if absent else ""


def _shortened(claim: Claim, evidence: Evidence) -> str:
    """Return which trainings ended before the report's last epoch; empty if none did."""
    short: dict[str, list[str]] = {}
    for name in claim.variants:
        declared = evidence.variant(name).training.epochs
        epochs = min(_epochs(evidence, name).values(), default=declared)
        if epochs < declared:
            short.setdefault(f"{epochs:,} of the report's {declared:,} epochs", []).append(name)
    return f"The training ran {_names([f'{ran} of {_names(of)}' for ran, of in short.items()])}." if short else ""


def _fewer(claim: Claim, evidence: Evidence) -> str:
    """Return which data are fewer than the report's, with the first split that is; empty if they are as many."""
    for dataset in dict.fromkeys(evidence.variant(name).dataset for name in claim.variants):
        card = evidence.card(dataset)
        if "declared" not in card or "counts" not in card:
            raise Missing(f"the data card of {dataset} does not say how many images its report used")
        for split, name in SPLITS.items():
            count, declared = card["counts"][split], card["declared"][split]
            if count < declared:
                return (
                    f"The data of {dataset} ({card['data_source']}) are fewer than the report's: {count:,} of {declared:,} {name} images."
                )
    return ""


def _epochs(evidence: Evidence, variant: str) -> dict[int, int]:
    """Return the seed -> epochs that were run; empty where nothing is, or nothing that can be read."""
    try:
        return {seed: len(table) for seed, table in evidence.history(variant).items()}
    except (Missing, *MALFORMED):
        return {}


def _sources(claim: Claim, evidence: Evidence) -> list[str]:
    """Name the data sets that are complete without being the official files."""
    used = {evidence.variant(name).dataset: evidence.variant(name).data_source for name in claim.variants}
    return [
        f"The data of {dataset} are no official files ({source}) but as many images."
        for dataset, source in used.items()
        if source != "official"
    ]


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _line(error: Exception) -> str:
    """Return an error as part of a sentence."""
    return " ".join(f"{type(error).__name__} {error}".split()) if not isinstance(error, UserError) else str(error)
