"""Outcome, explanation and strength from the parts of a claim; what does not fit is refused in one line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.written import Written

from regen.claims.judge import judge
from regen.claims.studies import check_studies
from regen.common.errors import UserError
from regen.params.schema import Params

CLAIM = {
    "claims.yaml": """
- id: lab1-1
  kind: claim
  where: Somewhere
  statement: It is so.
  variants: [lab1-vae-mnist]
  decides: [lab1-vae-z2-mnist]
  sentences: {partly: ["{a} and {b:.1f}", "{a} alone"], reproduced: "{a} {b}"}
""",
    "checks.py": """
from regen.claims.case import Case
from regen.claims.check import check
from regen.claims.reads import value

@check("lab1-1", gives="a b")
def one(case: Case) -> None:
    for name in ("a", "b", "c"):
        with case.part(name, of="explanation" if name == "c" else "observation"):
            read = value(case.results, name)("lab1-vae-mnist")
            case.level("Above 0?", read, "above", (0, 0))
            if name != "c":
                case.number(name, read)
""",
    "errata.yaml": """
- {id: lab1-1a, rank: editorial, where: There, printed: Wrong., correct: Right., claims: [lab1-1]}
- {id: lab1-1b, rank: conceptual, where: There, printed: Wrong., correct: Right., figures: [lab1-added-1]}
""",
    "answers.yaml": """
- {id: lab1-q1, where: There, question: "Why?", answer: [{text: So.}], own: right, claims: [lab1-1], errata: [lab1-1a]}
""",
}
READING = "[{quantity: Loss, unit: nats, value: 1, readings: [{label: Mean, variant: lab1-vae-mnist, of: val_neg_elbo_nats, at: 1}]}]"
EXPLAINED = CLAIM["claims.yaml"] + "  explanation: {statement: Because., at_most: possible, sentences: {otherwise: Told.}}\n"


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Path]:
    def write(**changes: str) -> Path:
        folder = tmp_path / "studies" / "lab1"
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in {**CLAIM, "reported.yaml": READING}.items():
            (folder / file).write_text(changes.get(file.split(".")[0], content))
        return folder.parent

    return write


def measured(written: Written, **values: tuple[float, ...]) -> None:
    for seed in range(3):
        written.metrics("lab1-vae-mnist", seed, **{name: of[seed] for name, of in values.items()})
        written.history("lab1-vae-mnist", seed, x=[1.0] * written.config.variants["lab1-vae-mnist"].training.epochs)


YES, NO, OPEN = (5.0, 5.1, 5.2), (-5.0, -5.1, -5.2), (-5.0, 0.1, 5.0)


@pytest.mark.parametrize(
    ("a", "b", "outcome", "strength", "sentence"),
    [
        (YES, YES, "reproduced", "firm", "5.10 5.10"),
        (YES, NO, "partly", "firm", "5.10 and −5.1"),
        (YES, OPEN, "partly", "indicative", "5.10 and 0.0"),
        (YES, None, "partly", "indicative", "5.10 alone"),
        (NO, OPEN, "not reproduced", "firm", [0, 2, 1]),
        (OPEN, OPEN, "undecided", "indicative", [0, 2, 2]),
        (None, None, "undecided", "none", []),
    ],
)
def test_parts_make_the_outcome(
    written: Written, study: Callable[..., Path], a: Any, b: Any, outcome: str, strength: str, sentence: str | list[int]
) -> None:
    if a:
        measured(written, a=a, **({"b": b} if b else {}))
    found = judge(written.config, written.root, study())
    [row] = found["claims"]
    assert (row["outcome"], row["strength"]) == (outcome, strength)
    # Where a study has no sentence, one is made: so many of so many tests hold, so many are open.
    assert (row["sentence"] if isinstance(sentence, str) else [int(number) for number in re.findall(r"\d+", row["sentence"])]) == sentence
    assert row["decides"] == (["lab1-vae-z2-mnist"] if None in (a, b) or outcome == "undecided" else [])
    # What ran is verified, what did not is run: a first run's command cannot be held against anything.
    waits = [*(["lab1-vae-mnist"] if not a else []), *row["decides"]]
    ran = ['make verify PRESET=paper VARIANT="lab1-vae-mnist"'] if a else []
    assert row["explanation"] is None
    assert row["commands"] == ran + ([f'make paper VARIANT="{" ".join(waits)}"'] if waits else [])
    assert found["counts"]["outcome"][outcome] == found["counts"]["claims"] == 1
    assert found["chance"]["wrong_at_most"] == pytest.approx(0.05 * found["chance"]["intervals"])
    assert (found["chance"]["intervals"] > 0) == (strength == "firm")
    assert [one["rank"] for one in found["errata"]] == ["conceptual", "editorial"]


@pytest.mark.parametrize(("c", "verdict"), [(YES, "possible"), (NO, "does not hold"), (OPEN, "possible"), (None, "untested")])
def test_an_explanation_is_judged_by_itself_and_no_higher_than_it_can_be(
    written: Written, study: Callable[..., Path], c: Any, verdict: str
) -> None:
    measured(written, a=YES, b=YES, **({"c": c} if c else {}))
    [row] = judge(written.config, written.root, study(claims=EXPLAINED))["claims"]
    assert (row["outcome"], row["explanation"]["verdict"]) == ("reproduced", verdict)
    assert row["explanation"]["sentence"] == "Told."


def test_an_explanation_that_its_tests_can_settle_holds_if_they_do(written: Written, study: Callable[..., Path]) -> None:
    measured(written, a=YES, b=YES, c=YES)
    [row] = judge(written.config, written.root, study(claims=EXPLAINED.replace("at_most: possible, ", "")))["claims"]
    assert row["explanation"]["verdict"] == "holds"


def test_a_note_has_its_numbers_and_is_left_out_where_one_is_not_there(written: Written, study: Callable[..., Path]) -> None:
    folder = study(claims=CLAIM["claims.yaml"] + '  notes: ["Plain.", "It is {a:.1f}.", "And {b}."]\n')
    measured(written, a=NO)
    [row] = judge(written.config, written.root, folder)["claims"]
    assert row["notes"] == ["Plain.", "It is −5.1."]


@pytest.mark.parametrize(("source", "strength"), [("official", "firm"), ("stand-in", "none")])
def test_an_outcome_is_as_strong_as_its_weakest_part(written: Written, study: Callable[..., Path], source: str, strength: str) -> None:
    measured(written, a=YES)
    written.card("binarized_mnist", source=source)
    for seed in range(3):
        written.metrics("lab1-vae-bmnist", seed, b=YES[seed])
    twin = CLAIM["checks.py"].replace('("lab1-vae-mnist")', '("lab1-vae-bmnist" if name == "b" else "lab1-vae-mnist")')
    [row] = judge(written.config, written.root, study(checks=twin))["claims"]
    assert (row["outcome"], row["strength"]) == ("reproduced", strength)
    assert [part["strength"] for part in row["parts"] if part["part"] in "ab"] == ["firm", strength]


def test_other_settings_and_stand_ins_lower_the_strength_and_not_the_outcome(written: Written, study: Callable[..., Path]) -> None:
    measured(written, a=YES, b=YES)
    folder = study(claims=CLAIM["claims.yaml"] + "  differs: the rate is not in the report\n")
    [row] = judge(written.config, written.root, folder)["claims"]
    assert (row["outcome"], row["strength"], row["reasons"]) == ("reproduced", "indicative", ["the rate is not in the report"])
    written.card("mnist", source="stand-in")
    [row] = judge(written.config, written.root, folder)["claims"]
    assert (row["outcome"], row["strength"]) == ("reproduced", "none") and "a: stand-in images" in row["reasons"]
    assert row["data"]["mnist"] == {"source": "official", "note": "stand-in images"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"checks": CLAIM["checks.py"].replace("lab1-1", "lab1-2")}, ["'lab1-1' has no check"]),
        ({"checks": CLAIM["checks.py"] + '\n@check("lab1-9")\ndef two(case: Case) -> None: ...\n'}, ["'lab1-9' is no claim"]),
        ({"checks": CLAIM["checks.py"] + '\n@check("lab1-1")\ndef two(case: Case) -> None: ...\n'}, ["'lab1-1' has two checks"]),
        ({"checks": CLAIM["checks.py"].replace('"a b"', "NAMES")}, ["written out"]),
        ({"checks": "def ("}, ["in Python"]),
        ({"claims": CLAIM["claims.yaml"].replace("{a} alone", "{z} alone")}, ["unknown number 'z'", "allowed: a, b"]),
        ({"claims": CLAIM["claims.yaml"].replace("{a} alone", "word " * 31)}, ["31 words", "at most 30"]),
        ({"claims": CLAIM["claims.yaml"].replace("{a} alone", "{a alone")}, ["names in braces"]),
        ({"claims": CLAIM["claims.yaml"] + '  notes: ["{z}"]\n'}, ["unknown number 'z'", "in a sentence or a note"]),
        ({"claims": CLAIM["claims.yaml"] + '  notes: ["{a"]\n'}, ["notes: '{a'", "names in braces"]),
        ({"claims": CLAIM["claims.yaml"].replace("partly:", "perhaps:")}, ["sentences.perhaps"]),
        ({"claims": CLAIM["claims.yaml"].replace("kind: claim", "kind: guess")}, ["kind", "guess"]),
        ({"claims": CLAIM["claims.yaml"].replace("id: lab1-1", "id: uva3-1")}, ["uva3-1", "'lab1-' and a number"]),
        ({"claims": 2 * CLAIM["claims.yaml"]}, ["stands twice"]),
        ({"claims": "- [}"}, ["expected YAML"]),
        ({"claims": CLAIM["claims.yaml"].replace("[lab1-vae-mnist]", "[lab1-vae]")}, ["'lab1-1': variants: unknown variant 'lab1-vae'"]),
        ({"claims": CLAIM["claims.yaml"].replace("[lab1-vae-z2-mnist]", "[fit]")}, ["'lab1-1': decides: unknown variant or probe 'fit'"]),
        ({"reported": READING.replace("lab1-vae-mnist", "lab1-vae")}, ["reported.yaml: 'Loss': variant: unknown variant 'lab1-vae'"]),
        ({"errata": CLAIM["errata.yaml"].replace("[lab1-1]", "[lab1-7]")}, ["'lab1-1a': claims: unknown claim 'lab1-7'"]),
        ({"errata": CLAIM["errata.yaml"].replace("[lab1-1]", "[lab1-1], readings: [Cost]")}, ["'lab1-1a'", "printed number 'Cost'"]),
        ({"errata": CLAIM["errata.yaml"].replace(", figures: [lab1-added-1]", "")}, ["needs a test or a figure"]),
        ({"errata": CLAIM["errata.yaml"].replace("lab1-1b", "lab1-1a")}, ["lab1-1a"]),
        ({"answers": CLAIM["answers.yaml"].replace("[lab1-1]", "[lab1-7]")}, ["'lab1-q1': claims: unknown claim 'lab1-7'"]),
        ({"answers": CLAIM["answers.yaml"].replace("[lab1-1a]", "[lab1-1c]")}, ["'lab1-q1': errata: unknown erratum 'lab1-1c'"]),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    study: Callable[..., Path], params: Params, changes: dict[str, str], said: list[str]
) -> None:
    check_studies(params, study())
    with pytest.raises(UserError) as caught:
        check_studies(params, study(**changes))
    line = str(caught.value)
    assert "\n" not in line and "studies/lab1/" in line and all(words in line for words in said)


def test_a_probe_decides_and_a_study_may_lack_all_but_its_claims(study: Callable[..., Path], params: Params, written: Written) -> None:
    studies = study(claims=CLAIM["claims.yaml"].replace("[lab1-vae-z2-mnist]", "[code_fit]"))
    for file in ("errata.yaml", "reported.yaml", "answers.yaml"):
        (studies / "lab1" / file).unlink()
    check_studies(params, studies)
    found = judge(written.config, written.root, studies)
    assert ([row["decides"] for row in found["claims"]], found["errata"]) == ([["code_fit"]], [])
    assert found["claims"][0]["commands"][-1] == "dvc repro paper/pipeline/probe/dvc.yaml:probe-code_fit"
    (studies / "lab1/claims.yaml").unlink()
    (studies / "lab1/checks.py").unlink()
    check_studies(params, studies)
    assert judge(written.config, written.root, studies)["counts"]["claims"] == 0


def test_a_number_that_a_check_does_not_declare_is_a_mistake_of_the_check(written: Written, study: Callable[..., Path]) -> None:
    measured(written, a=YES, b=YES)
    folder = study(checks=CLAIM["checks.py"].replace("case.number(name, read)", 'case.number("z", read)'))
    with pytest.raises(RuntimeError, match="'z' is given but not declared"):
        judge(written.config, written.root, folder)
