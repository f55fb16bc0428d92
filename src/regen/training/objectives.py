"""What a training step minimises, turn by turn: a scalar for the gradient, and the per-image terms to record."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.functional import logsigmoid

from regen.models.flows import FlowPrior
from regen.models.gan import Gan, discriminator_terms
from regen.models.objectives import elbo_terms, iwae_objective, kl_nats
from regen.models.score_function import ESTIMATORS, RunningAverage

__all__ = ["OBJECTIVES", "Objective", "objective_of"]

Recorded = dict[str, torch.Tensor]
Turn = tuple[torch.Tensor, Recorded]


class Objective(nn.Module):
    """A step of one turn or several: each player is trained by its own turn, with an optimiser of its own."""

    def players(self, model: nn.Module) -> list[nn.Module]:
        """Return the parts of a model in the order of their turns."""
        return [model]

    def turns(self, model: Any, x: torch.Tensor, labels: torch.Tensor) -> Iterator[Turn]:
        """Yield a turn's objective and terms of x (B, C, H, W) in [0, 1]; each sees the weights that the turn before has changed."""
        yield self(model, x, labels)


class Elbo(Objective):
    """-E_q log p(x | z) + w KL on clean or noised images; beside anything but -ELBO itself, -ELBO is recorded too."""

    def __init__(self, config: Any, noise: Any) -> None:
        super().__init__()
        self.config, self.noise = config, noise

    def forward(self, model: Any, x: torch.Tensor, labels: torch.Tensor) -> Turn:
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
            return recorded["neg_elbo_nats"].mean(), recorded
        objective = terms.recon_nats + self.config.kl_weight * terms.kl_nats
        if self.config.log_det_times_dim:
            objective = objective + self._surplus(model.prior, terms.z)
        return objective.mean(), {"objective_nats": objective, **recorded}

    @staticmethod
    def _surplus(prior: FlowPrior, z: torch.Tensor) -> torch.Tensor:
        """Return d - 1 further log-determinants: a scalar added to each of d log-densities before they are summed (vu4a 5)."""
        return (z.shape[-1] - 1) * prior.log_abs_det(z)


class Iwae(Objective):
    """-L_K, the importance-weighted bound."""

    def __init__(self, config: Any, noise: Any) -> None:
        super().__init__()
        self.samples, self.doubly = config.samples, config.gradient == "doubly_reparameterised"

    def forward(self, model: Any, x: torch.Tensor, labels: torch.Tensor) -> Turn:
        """Return the objective and the terms of x (B, C, H, W) in [0, 1]."""
        objective, recorded = iwae_objective(model, x, self.samples, self.doubly)
        return objective.mean(), recorded


class ScoreFunction(Objective):
    """-ELBO of Bernoulli latents: the reconstruction's gradient by the score function, the KL in closed form."""

    def __init__(self, config: Any, noise: Any) -> None:
        super().__init__()
        self.samples = config.samples
        self.estimator = ESTIMATORS[config.estimator]
        self.average = RunningAverage(config.decay)

    def forward(self, model: Any, x: torch.Tensor, labels: torch.Tensor) -> Turn:
        """Return the objective and the terms of x (B, C, H, W) in [0, 1]."""
        q = model.encoder(x)
        z = q.sample(torch.Size([self.samples]))
        recon = -model.decoder(z).log_prob(x)
        kl = kl_nats(q, model.prior(), z)
        neg_elbo = recon.mean(0) + kl
        score: torch.Tensor = self.estimator(recon.detach(), q.log_prob(z), self.average)
        return neg_elbo.mean() + score, {"neg_elbo_nats": neg_elbo, "recon_nats": recon.mean(0), "kl_nats": kl}


class Term(Objective):
    """The mean of one of the model's own terms."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, model: Any, x: torch.Tensor, labels: torch.Tensor) -> Turn:
        """Return the objective and the terms of x (B, C, H, W) in [0, 1] and its labels (B,)."""
        terms: Recorded = model.terms(x, labels)
        return terms[self.name].mean(), terms


class Adversarial(Objective):
    """The discriminator's turn, then the generator's, on the same generated images.

    Sources: Goodfellow et al. (2014), arXiv:1406.2661, algorithm 1 (saturating) and section 3 (non-saturating); Gulrajani et al. (2017),
    arXiv:1704.00028, equation 3; instance noise: Arjovsky and Bottou (2017), arXiv:1701.04862, section 3.
    """

    def __init__(self, config: Any, noise: Any) -> None:
        super().__init__()
        self.config = config

    def players(self, model: Any) -> list[nn.Module]:
        """Return discriminator and generator."""
        return [model.discriminator, model.generator]

    def turns(self, model: Gan, x: torch.Tensor, labels: torch.Tensor) -> Iterator[Turn]:
        """Yield the objectives and terms of x (B, C, H, W) in [0, 1] and as many generated images."""
        real, fake = 2 * x - 1, model.generator(model.latents(len(x)))
        terms = discriminator_terms(self._judged(model, real), self._judged(model, fake.detach()), model.output)
        loss = next(iter(terms.values())).mean()
        if self.config.gradient_penalty is not None:
            penalty = gradient_penalty(model.discriminator, real, fake.detach())
            loss = loss + self.config.gradient_penalty * penalty.mean()
            terms["gradient_penalty"] = penalty
        yield loss, terms
        judged = self._judged(model, fake)
        name, value = GENERATOR_LOSSES[self.config.loss](judged)
        yield value.mean(), {name: value}

    def _judged(self, model: Gan, images: torch.Tensor) -> torch.Tensor:
        """Return the discriminator's outputs (B,) on images in [-1, 1], with instance noise if there is any."""
        if self.config.instance_noise is not None:
            images = images + self.config.instance_noise * torch.randn_like(images)
        judged: torch.Tensor = model.discriminator(images).squeeze(1)
        return judged


GENERATOR_LOSSES: dict[str, Callable[[torch.Tensor], tuple[str, torch.Tensor]]] = {
    "saturating": lambda judged: ("generator_nats", logsigmoid(-judged)),
    "non_saturating": lambda judged: ("generator_nats", -logsigmoid(judged)),
    "wasserstein": lambda judged: ("generator", -judged),
}
"""log(1 - D(G(z))), -log D(G(z)), or minus the critic's score, each (B,), by its name in the history."""


def gradient_penalty(critic: nn.Module, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Return (|d critic / dx| - 1)^2 at a random point x between each pair of images (B, C, H, W), shape (B,)."""
    weight = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
    between = (weight * real + (1 - weight) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    norms: torch.Tensor = gradient.flatten(1).norm(dim=1)
    return (norms - 1).square()


OBJECTIVES: dict[str, Callable[[Any, Any], Objective]] = {
    "elbo": Elbo,
    "iwae": Iwae,
    "score_function": ScoreFunction,
    "nll": lambda config, noise: Term("nll_nats"),
    "reconstruction": lambda config, noise: Term("recon_nats"),
    "adversarial": Adversarial,
    "cross_entropy": lambda config, noise: Term("cross_entropy_nats"),
    "squared_error": lambda config, noise: Term("squared_error"),
}


def objective_of(training: Any) -> Objective:
    """Return the objective of a configuration (`regen.config.training.Training`).

    A module, since it may have state: an interrupted run continues with it.
    """
    return OBJECTIVES[training.objective.kind](training.objective, training.noise)
