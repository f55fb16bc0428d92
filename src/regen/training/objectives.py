"""What a training step minimises, turn by turn: a scalar for the gradient, and the per-image terms to record."""

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import torch
from torch import nn
from torch.nn.functional import logsigmoid

from regen.config.training import Adversarial as AdversarialConfig
from regen.config.training import Elbo as ElboConfig
from regen.config.training import GumbelSoftmax as GumbelSoftmaxConfig
from regen.config.training import Iwae as IwaeConfig
from regen.config.training import MeanSquaredError as MeanSquaredErrorConfig
from regen.config.training import Noise, Training
from regen.config.training import ScoreFunction as ScoreFunctionConfig
from regen.models.flows import FlowPrior
from regen.models.gan import Gan, discriminator_terms
from regen.models.objectives import ElboTerms, elbo_terms, free_bits, iwae_objective, kl_nats, mse_per_pixel, over_samples
from regen.models.relaxation import relaxed_bernoulli
from regen.models.score_function import ESTIMATORS, RunningAverage
from regen.models.vae import LatentVariableModel
from regen.training.terms import ImageModel

__all__ = ["OBJECTIVES", "Objective", "objective_of"]

T = TypeVar("T")
Recorded = dict[str, torch.Tensor]
Turn = tuple[torch.Tensor, Recorded]


class Objective(nn.Module):
    """A step of one turn or several: each player is trained by its own turn, with an optimiser of its own.

    `epochs`: how many of the report's own schedule have passed, a fraction within one; infinity is after all of them.
    """

    epochs: float = math.inf

    def players(self, model: Any) -> list[nn.Module]:
        """Return the parts of a model in the order of their turns."""
        return [model]

    def turns(self, model: Any, x: torch.Tensor, labels: torch.Tensor) -> Iterator[Turn]:
        """Yield a turn's objective and terms of x (B, C, H, W) in [0, 1]; each sees the weights that the turn before has changed."""
        yield self(model, x, labels)

    def held_out(self, model: Any, x: torch.Tensor, labels: torch.Tensor) -> Recorded:
        """Return what is minimised of images x (B, C, H, W) in [0, 1] that are held out, (B,); nothing where the model's terms have it."""
        return {}


class Elbo(Objective):
    """-E_q log p(x | z) + w KL on clean or noised images; beside anything but -ELBO itself, -ELBO is recorded too.

    Noise is of training alone: held out, what is minimised is of the clean images.
    """

    def __init__(self, config: ElboConfig, noise: Noise | None) -> None:
        super().__init__()
        self.config, self.noise = config, noise
        self.departs = noise is not None or config != ElboConfig(kind="elbo", samples=config.samples)

    def forward(self, model: LatentVariableModel, x: torch.Tensor, labels: torch.Tensor) -> Turn:
        """Return the objective and the terms of x (B, C, H, W) in [0, 1]."""
        if self.noise is None:
            terms = elbo_terms(model, x, samples=self.config.samples)
            recorded = terms.named()
        else:
            noisy = (x + self.noise.scale * torch.randn_like(x)).clamp(0, 1)
            terms = elbo_terms(model, noisy, noisy if self.noise.targets == "noisy" else x, self.config.samples)
            recorded = _in_passing(model, lambda: elbo_terms(model, x, samples=self.config.samples).named())
        if not self.departs:
            return recorded["neg_elbo_nats"].mean(), recorded
        objective = self._minimised(model, terms)
        return objective.mean(), {"objective_nats": objective, **recorded}

    def held_out(self, model: LatentVariableModel, x: torch.Tensor, labels: torch.Tensor) -> Recorded:
        """Return what is minimised of clean images, at the KL's weight of this moment; nothing where it is -ELBO itself."""
        return {"objective_nats": self._minimised(model, elbo_terms(model, x, samples=self.config.samples))} if self.departs else {}

    def _minimised(self, model: LatentVariableModel, terms: ElboTerms) -> torch.Tensor:
        least, warm_up = self.config.free_nats_per_latent, self.config.warm_up_epochs
        kl = terms.kl_nats if least is None else free_bits(terms.q, model.prior(), least)
        # Linear from 0, as Sonderby et al. (2016), arXiv:1602.02282, warm up.
        risen = 1.0 if warm_up is None else min(1.0, self.epochs / warm_up)
        objective = terms.recon_nats + risen * self.config.kl_weight * kl
        if self.config.log_det_times_dim:
            objective = objective + self._surplus(cast(FlowPrior, model.prior), terms.z)
        return objective

    @staticmethod
    def _surplus(prior: FlowPrior, z: torch.Tensor) -> torch.Tensor:
        """Return d - 1 further log-determinants: a scalar added to each of d log-densities before they are summed (vu4a 5)."""
        return (z.shape[-1] - 1) * over_samples(prior.log_abs_det(z))


class Iwae(Objective):
    """-L_K, the importance-weighted bound."""

    def __init__(self, config: IwaeConfig, noise: Noise | None) -> None:
        super().__init__()
        self.samples, self.doubly = config.samples, config.gradient == "doubly_reparameterised"

    def forward(self, model: LatentVariableModel, x: torch.Tensor, labels: torch.Tensor) -> Turn:
        """Return the objective and the terms of x (B, C, H, W) in [0, 1]."""
        objective, recorded = iwae_objective(model, x, self.samples, self.doubly)
        return objective.mean(), recorded

    def held_out(self, model: LatentVariableModel, x: torch.Tensor, labels: torch.Tensor) -> Recorded:
        """Return -L_K, with as many decodes at once as there are images."""
        parts = x.split(max(1, len(x) // self.samples))
        return {"objective_nats": torch.cat([iwae_objective(model, part, self.samples, self.doubly)[0] for part in parts])}


class MeanSquaredError(Objective):
    """Squared error averaged over images and pixels + w KL averaged over images and latents, as courses write it; -ELBO is recorded too.

    With D pixels and d latents it is 2/D of -ELBO's part that depends on the weights, under a Gaussian likelihood of unit variance and
    with the KL weighted by w D / (2 d).
    """

    def __init__(self, config: MeanSquaredErrorConfig, noise: Noise | None) -> None:
        super().__init__()
        self.kl_weight = config.kl_weight

    def forward(self, model: LatentVariableModel, x: torch.Tensor, labels: torch.Tensor) -> Turn:
        """Return the objective and the terms of x (B, C, H, W) in [0, 1]."""
        terms = elbo_terms(model, x)
        objective = self._minimised(terms, x)
        return objective.mean(), {"objective": objective, **terms.named()}

    def held_out(self, model: LatentVariableModel, x: torch.Tensor, labels: torch.Tensor) -> Recorded:
        """Return what is minimised."""
        return {"objective": self._minimised(elbo_terms(model, x), x)}

    def _minimised(self, terms: ElboTerms, x: torch.Tensor) -> torch.Tensor:
        return mse_per_pixel(terms.likelihood, x) + self.kl_weight * terms.kl_nats / terms.z.shape[-1]


class GumbelSoftmax(Objective):
    """-ELBO of Bernoulli latents with the reconstruction at relaxed ones; -ELBO itself is recorded at the Bernoullis of the same draw.

    The KL is that of the Bernoullis, in closed form, as Jang et al. (2017), arXiv:1611.01144, train: so what is minimised bounds nothing.
    """

    def __init__(self, config: GumbelSoftmaxConfig, noise: Noise | None) -> None:
        super().__init__()
        self.temperature = config.temperature

    def forward(self, model: LatentVariableModel, x: torch.Tensor, labels: torch.Tensor) -> Turn:
        """Return the objective and the terms of x (B, C, H, W) in [0, 1]."""
        objective, kl, z = self._relaxed(model, x)
        recon = _in_passing(model, lambda: -model.decoder((z > 0.5).to(z.dtype)).log_prob(x))
        return objective.mean(), {"objective_nats": objective, "neg_elbo_nats": recon + kl, "recon_nats": recon, "kl_nats": kl}

    def held_out(self, model: LatentVariableModel, x: torch.Tensor, labels: torch.Tensor) -> Recorded:
        """Return what is minimised."""
        return {"objective_nats": self._relaxed(model, x)[0]}

    def _relaxed(self, model: LatentVariableModel, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return what is minimised and the KL, each (B,), and the relaxed latents (B, d)."""
        q: Any = model.encoder(x)
        z = relaxed_bernoulli(q.base_dist.logits, self.temperature)
        kl = kl_nats(q, model.prior(), z)
        return kl - model.decoder(z).log_prob(x), kl, z


def _in_passing(model: nn.Module, measure: Callable[[], T]) -> T:
    """Return what is measured without a gradient and as in validation: it must leave no trace in the statistics of batch normalisation."""
    model.eval()
    with torch.no_grad():
        measured = measure()
    model.train()
    return measured


class ScoreFunction(Objective):
    """-ELBO of Bernoulli latents: the reconstruction's gradient by the score function, the KL in closed form."""

    def __init__(self, config: ScoreFunctionConfig, noise: Noise | None) -> None:
        super().__init__()
        self.samples = config.samples
        self.estimator = ESTIMATORS[config.estimator]
        self.average = RunningAverage(config.decay)

    def forward(self, model: LatentVariableModel, x: torch.Tensor, labels: torch.Tensor) -> Turn:
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

    def forward(self, model: ImageModel, x: torch.Tensor, labels: torch.Tensor) -> Turn:
        """Return the objective and the terms of x (B, C, H, W) in [0, 1] and its labels (B,)."""
        terms: Recorded = model.terms(x, labels)
        return terms[self.name].mean(), terms


class Adversarial(Objective):
    """The discriminator's turn, then the generator's, on the same generated images.

    Sources: Goodfellow et al. (2014), arXiv:1406.2661, algorithm 1 (saturating) and section 3 (non-saturating); Gulrajani et al. (2017),
    arXiv:1704.00028, equation 3; instance noise: Arjovsky and Bottou (2017), arXiv:1701.04862, section 3.
    """

    def __init__(self, config: AdversarialConfig, noise: Noise | None) -> None:
        super().__init__()
        self.config = config

    def players(self, model: Gan) -> list[nn.Module]:
        """Return discriminator and generator."""
        return [model.discriminator, model.generator]

    def turns(self, model: Gan, x: torch.Tensor, labels: torch.Tensor) -> Iterator[Turn]:
        """Yield the objectives and terms of x (B, C, H, W) in [0, 1] and as many generated images."""
        real, fake = model.seen(x), model.generator(model.latents(len(x)))
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
        """Return the discriminator's outputs (B,) on images as it sees them, with instance noise if there is any."""
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


OBJECTIVES: dict[str, Callable[[Any, Noise | None], Objective]] = {
    "elbo": Elbo,
    "iwae": Iwae,
    "mean_squared_error": MeanSquaredError,
    "gumbel_softmax": GumbelSoftmax,
    "score_function": ScoreFunction,
    "nll": lambda config, noise: Term("nll_nats"),
    "reconstruction": lambda config, noise: Term("recon_nats"),
    "adversarial": Adversarial,
    "cross_entropy": lambda config, noise: Term("cross_entropy_nats"),
    "squared_error": lambda config, noise: Term("squared_error"),
}


def objective_of(training: Training) -> Objective:
    """Return the objective of a configuration (`regen.config.training.Training`).

    A module, since it may have state: an interrupted run continues with it.
    """
    return OBJECTIVES[training.objective.kind](training.objective, training.noise)
