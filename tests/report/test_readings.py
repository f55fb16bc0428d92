"""What a report prints beside what was measured: values, means over seeds, units, and the axis."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from drawn import points, scale
from made_up import seeds
from support.written import Written

from regen.report import readings as module
from regen.report.charts import Chart
from regen.report.readings import readings

FACES, PLANE = "davari-vae-deconv-celeba", "uva3-vae-z2-mnist"


@pytest.fixture
def three(written: Written) -> Written:
    """Return the results of three seeds of the faces, 6,000, 6,010 and 6,080 nats with 2,000 samples."""
    made = Written(seeds(written.config, FACES), written.root)
    for seed, nats in enumerate((6000.0, 6010.0, 6080.0)):
        made.metrics(FACES, seed, nll_nats=nats, importance_samples=2000)
    return made


def charts(written: Written, monkeypatch: pytest.MonkeyPatch, *printed: tuple[str, str, float, list[dict[str, Any]]]) -> list[Chart]:
    """Return the charts of a report that prints these: quantity, unit, value, readings."""
    ledger = [{"quantity": quantity, "unit": unit, "value": value, "readings": own} for quantity, unit, value, own in printed]
    file: Path = written.root / "studies/made/reported.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump(ledger))
    monkeypatch.setattr(module, "STUDIES", file.parents[1])
    return readings(written.results, "made")


def test_a_printed_value_stands_beside_every_reading_in_its_own_unit(three: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {"label": "with", "variant": FACES, "of": "nll_nats"}
    nats, bits = charts(
        three,
        monkeypatch,
        ("likelihood", "nats", 7133.0, [plain, {**plain, "label": "without", "without_one_over_k": True}]),
        ("the same", "bits", 2.51, [{**plain, "label": "bits", "per": "bits per position"}]),
    )
    # Mean of the seeds 6,030; log 2000 = 7.6009 less without the 1/K.
    expected = [
        ("likelihood", "printed in the report", 7133.0, None, None),
        ("likelihood", "run again", 6030.0, 6000.0, 6080.0),
        ("likelihood", "run again", *(pytest.approx(value - 7.6009, abs=1e-4) for value in (6030.0, 6000.0, 6080.0))),
    ]
    assert points(nats, "label", "kind", "value", "low", "high") == expected
    assert [text.partition(":")[0] for (text,) in points(nats, "text")] == ["7133", "6030", "6022"]
    # 64 x 64 positions, log 2 nats a bit.
    a_position = 6030.0 / 4096 / math.log(2)
    assert points(bits, "kind", "value") == [("printed in the report", 2.51), ("run again", pytest.approx(a_position, rel=1e-12))]


def test_what_nothing_ran_of_is_left_out(three: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    ran, did_not = ({"label": "one", "variant": name, "of": "nll_nats"} for name in (FACES, PLANE))
    (chart,) = charts(three, monkeypatch, ("half", "nats", 7000.0, [did_not, ran]), ("none", "nats", 7100.0, [dict(did_not)]))
    assert points(chart, "label", "value") == [("half", 7000.0), ("half", 6030.0)]
    # One value has no range.
    three.metrics(PLANE, nll_nats=100.0)
    assert (None, None) in points(readings(three.results, "made")[0], "low", "high")[1:2]


@pytest.mark.parametrize(("printed", "axis"), [(604.0, "linear"), (602.0, "log"), (60_200.0, "linear"), (60_400.0, "log")])
def test_an_axis_is_logarithmic_from_a_ratio_of_ten_on(printed: float, axis: str, three: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    (chart,) = charts(three, monkeypatch, ("one", "", printed, [{"label": "one", "variant": FACES, "of": "nll_nats"}]))
    assert scale(chart, "x") == axis


def test_what_has_no_place_on_a_logarithmic_axis_is_left_out(three: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    negative = {"label": "one", "variant": FACES, "of": {"nll_nats": 1.0}, "plus": -6005.0}
    positive = {"label": "one", "variant": FACES, "of": "nll_nats"}
    assert charts(three, monkeypatch, ("of one seed", "", 5.0, [negative]), ("zero", "", 0.0, [positive])) == []
