"""All metrics of one trained model, under the names that docs/metrics.md defines."""

from typing import Any

import torch

from regen.common.determinism import derive_seed
from regen.config.variant import EvaluateConfig
from regen.evaluation.held_out.capabilities import MEASURES
from regen.images.images import Images
from regen.training.terms import mean_terms

__all__ = ["evaluate"]


def evaluate(config: EvaluateConfig, seed: int, model: Any, images: dict[str, Images]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the scalars (metrics.json) and the tables (details.json) of one model.

    images: prepared, under `train`, `validation` and `test`, on the model's device. The scalars are of the test images.
    Beside the model's own terms, every measure of `MEASURES` adds what it can say of this model. Of weights that are not finite nothing is
    defined, and the scalars say so.
    """
    if not all(values.isfinite().all() for values in model.state_dict().values()):
        facts = {"n_images": len(images["test"]), "data_source": config.data_source}
        return {"nll_kind": "not defined", "weights": "not finite", **facts}, {}
    splits = []
    for split, values in images.items():
        torch.manual_seed(derive_seed(config.seed, seed, "terms", split))
        splits.append({"split": split, "n_images": len(values), **mean_terms(model, values)})
    metrics = {name: value for row in splits if row["split"] == "test" for name, value in row.items() if name != "split"}
    details: dict[str, Any] = {"splits": splits}
    for measure in MEASURES:
        scalars, tables = measure(config, seed, model, images)
        metrics |= scalars
        details |= tables
    return {**metrics, "data_source": config.data_source}, details
