"""What a training step minimises: a scalar for the gradient, and the per-image terms to record."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from regen.models.flows import FlowPrior
from regen.models.objectives import elbo_terms, iwae_objective, kl_nats
from regen.models.score_function import ESTIMATORS, RunningAverage

__all__ = ["OBJECTIVES", "objective_of"]

Recorded = dict[str, torch.Tensor]


class Elbo(nn.Module):
    """-E_q log p(x | z) + w KL on clean or noised images; beside anything but -ELBO itself, -ELBO is recorded too."""

    def __init__(self, config: Any, noise: Any) -> None:
        super().__init__()
        self.config, self.noise = config, noise

    def forward(self, model: Any, x: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, Recorded]:
        """Return the objective and the terms of x (B, C, H, W) in [0, 1]."""
        if self.noise is None:
            terms = elbo_terms(model, x)
            recorded = terms.named()
        else:
            noisy = (x + self.noise.scale * torch.randn_like(x)).clamp(0, 1)
            terms = elbo_terms(model, noisy, noisy if self.noise.targets == "noisy" else x)
            # As in validation: the clean images must leave no trace in the statistics of batch normalisation.
            model.eval()
            with torch.no_grad():
                recorded = elbo_terms(model, x).named()
            model.train()
        if self.noise is None and self.config.kl_weight == 1 and not self.config.log_det_times_dim:
            return terms.neg_elbo_nats.mean(), recorded
        objective = terms.recon_nats + self.config.kl_weight * terms.kl_nats
        if self.config.log_det_times_dim:
            objective = objective + self._surplus(model.prior, terms.z)
        return objective.mean(), {"objective_nats": objective, **recorded}

    @staticmethod
    def _surplus(prior: FlowPrior, z: torch.Tensor) -> torch.Tensor:
        """Return d - 1 further log-determinants: a scalar added to each of d log-densities before they are summed (vu4a 5)."""
        return (z.shape[-1] - 1) * prior.log_abs_det(z)


class Iwae(nn.Module):
    """-L_K, the importance-weighted bound."""

    def __init__(self, config: Any, noise: Any) -> None:
        super().__init__()
        self.samples, self.doubly = config.samples, config.gradient == "doubly_reparameterised"

    def forward(self, model: Any, x: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, Recorded]:
        """Return the objective and the terms of x (B, C, H, W) in [0, 1]."""
        objective, recorded = iwae_objective(model, x, self.samples, self.doubly)
        return objective.mean(), recorded


class ScoreFunction(nn.Module):
    """-ELBO of Bernoulli latents: the reconstruction's gradient by the score function, the KL in closed form."""

    def __init__(self, config: Any, noise: Any) -> None:
        super().__init__()
        self.samples = config.samples
        self.estimator = ESTIMATORS[config.estimator]
        self.average = RunningAverage(config.decay)

    def forward(self, model: Any, x: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, Recorded]:
        """Return the objective and the terms of x (B, C, H, W) in [0, 1]."""
        q = model.encoder(x)
        z = q.sample(torch.Size([self.samples]))
        recon = -model.decoder(z).log_prob(x)
        kl = kl_nats(q, model.prior(), z)
        neg_elbo = recon.mean(0) + kl
        score: torch.Tensor = self.estimator(recon.detach(), q.log_prob(z), self.average)
        return neg_elbo.mean() + score, {"neg_elbo_nats": neg_elbo, "recon_nats": recon.mean(0), "kl_nats": kl}


class Term(nn.Module):
    """The mean of one of the model's own terms."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, model: Any, x: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, Recorded]:
        """Return the objective and the terms of x (B, C, H, W) in [0, 1] and its labels (B,)."""
        terms: Recorded = model.terms(x, labels)
        return terms[self.name].mean(), terms


OBJECTIVES: dict[str, Callable[[Any, Any], nn.Module]] = {
    "elbo": Elbo,
    "iwae": Iwae,
    "score_function": ScoreFunction,
    "nll": lambda config, noise: Term("nll_nats"),
    "reconstruction": lambda config, noise: Term("recon_nats"),
    "cross_entropy": lambda config, noise: Term("cross_entropy_nats"),
}


def objective_of(training: Any) -> nn.Module:
    """Return the objective of a configuration (`regen.config.training.Training`): (model, x, labels) -> scalar, terms.

    A module, since it may have state: an interrupted run continues with it.
    """
    return OBJECTIVES[training.objective.kind](training.objective, training.noise)
