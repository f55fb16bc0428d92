"""What an auto-encoder's fitted distributions are worth on held-out codes."""

from typing import Any

from regen.config.variant import EvaluateConfig
from regen.images.images import Images
from regen.models.autoencoder import CODE_PRIORS, AutoEncoder

__all__ = ["code_likelihood"]


def code_likelihood(config: EvaluateConfig, seed: int, model: Any, images: dict[str, Images]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the mean log density of the codes of every split under each code prior, in nats; nothing for other models."""
    if not isinstance(model, AutoEncoder):
        return {}, {}
    rows = []
    for split, values in images.items():
        codes = model.codes(values.images)
        densities = {f"{name}_log_likelihood_nats": model.code_prior(name).log_prob(codes).mean().item() for name in CODE_PRIORS}
        rows.append({"split": split, "n_images": len(codes), **densities})
    held_out = next(row for row in rows if row["split"] == "test")
    return {"gmm_log_likelihood_nats": held_out["mixture_log_likelihood_nats"], "nll_kind": "not defined"}, {"codes": rows}
