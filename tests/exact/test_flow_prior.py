"""A flow prior without weights is N(0, I); the objective with the log-determinant counted d times, recomputed and at its floor."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn
from torch.autograd.functional import jacobian
from torch.distributions import ComposeTransform

from regen.config.base import parse
from regen.config.model import Vae
from regen.models.build import build
from regen.models.objectives import elbo_terms
from regen.models.vae import LatentVariableModel

MakeObjective = Callable[..., nn.Module]

DIM, COUPLINGS, IMAGES = 4, 3, 5


def flow_vae(dim: int = DIM, std: float = 0.5) -> LatentVariableModel:
    """Return a model whose flow's weights have this standard deviation, in double precision."""
    torch.manual_seed(1)
    config = {
        "family": "vae",
        "network": {"kind": "mlp", "hidden": [6], "activation": "relu"},
        "latent": {"kind": "gaussian", "dim": dim},
        "prior": {"kind": "realnvp", "couplings": COUPLINGS, "networks": "one_each", "hidden": [5], "activation": "tanh"},
        "likelihood": {"kind": "bernoulli"},
    }
    model = build(parse(Vae, config, "test"), [1, 2, 3]).double()
    for parameter in model.prior.parameters():
        nn.init.normal_(parameter, std=std)
    found: LatentVariableModel = model
    return found


def set_log_scales(model: LatentVariableModel, value: float) -> None:
    """Make the outputs of the couplings' log-scale networks, before their tanh, one number."""
    with torch.no_grad():
        for conditioner in model.prior.flow.conditioners:
            last = conditioner.networks[0][-1]
            last.weight.zero_()
            last.bias.fill_(value)


@pytest.fixture
def x() -> torch.Tensor:
    return torch.rand(IMAGES, 1, 2, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def test_without_weights_the_prior_is_the_standard_one_in_density_and_samples() -> None:
    prior: Any = flow_vae(std=0.0).prior
    torch.manual_seed(2)
    z = 3 * torch.randn(50, DIM, dtype=torch.float64)
    np.testing.assert_allclose(prior().log_prob(z).detach(), norm.logpdf(z.numpy()).sum(1), rtol=1e-12)
    np.testing.assert_array_equal(prior.log_abs_det(z).detach(), np.zeros(50))
    torch.manual_seed(3)
    samples = prior().sample(torch.Size([50]))
    torch.manual_seed(3)
    # The couplings' reversals are left: three of them are one.
    torch.testing.assert_close(samples, prior.base().sample(torch.Size([50])).flip(-1), rtol=0, atol=0)


def test_without_weights_the_kl_is_the_standard_priors_in_expectation(x: torch.Tensor) -> None:
    model, draws = flow_vae(std=0.0), 4000
    with torch.no_grad():
        torch.manual_seed(4)
        kl = elbo_terms(model, x.repeat(draws, 1, 1, 1)).kl_nats.view(draws, IMAGES).numpy()
        mean, log_variance = model.encoder.network(x).numpy().reshape(IMAGES, 2, DIM).transpose(1, 0, 2)
    exact = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(1)
    assert np.all(np.abs(kl.mean(0) - exact) < 4 * kl.std(0) / math.sqrt(draws))


def faulty(make_objective: MakeObjective, model: LatentVariableModel, x: torch.Tensor, samples: int = 1) -> dict[str, torch.Tensor]:
    objective: Any = make_objective("elbo", log_det_times_dim=True, samples=samples)
    torch.manual_seed(5)
    value, terms = objective(model, x, torch.zeros(len(x)))
    torch.testing.assert_close(value, terms["objective_nats"].mean())
    torch.manual_seed(5)
    torch.testing.assert_close(objective.held_out(model, x, torch.zeros(len(x))), {"objective_nats": terms["objective_nats"]})
    return {name: term.detach() for name, term in terms.items()}


@pytest.mark.parametrize("samples", [1, 3])
def test_the_fault_adds_the_log_determinant_once_a_dimension(samples: int, x: torch.Tensor, make_objective: MakeObjective) -> None:
    model = flow_vae()
    terms = faulty(make_objective, model, x, samples)
    torch.manual_seed(5)
    noise = torch.randn(samples, IMAGES, DIM, dtype=torch.float64)
    with torch.no_grad():
        mean, log_variance = model.encoder.network(x).chunk(2, dim=-1)
        z = mean + torch.exp(0.5 * log_variance) * noise
        logits = model.decoder.network(z).flatten(2).numpy()
    inverse = ComposeTransform(model.prior.flow.transforms()).inv
    u = inverse(z).detach().numpy()
    log_det = np.array([[torch.linalg.slogdet(jacobian(inverse, row)).logabsdet.item() for row in draw] for draw in z])  # log |du/dz|
    pixels = x.flatten(1).numpy()
    recon = (np.logaddexp(0, logits) - pixels * logits).sum(2)
    log_q = (norm.logpdf(noise.numpy()) - 0.5 * log_variance.numpy()).sum(2)
    # A log-density a dimension, to each of which the scalar is added before they are summed.
    log_prior = (norm.logpdf(u) + log_det[..., None]).sum(2)
    np.testing.assert_allclose(terms["objective_nats"], (recon + log_q - log_prior).mean(0), rtol=1e-9)
    np.testing.assert_allclose(terms["neg_elbo_nats"], (recon + log_q - norm.logpdf(u).sum(2) - log_det).mean(0), rtol=1e-9)
    assert np.abs(log_det).min() > 0.01


def test_without_log_scales_the_fault_makes_no_difference(x: torch.Tensor, make_objective: MakeObjective) -> None:
    model = flow_vae()
    set_log_scales(model, 0.0)
    terms = faulty(make_objective, model, x)
    torch.testing.assert_close(terms["objective_nats"], terms["neg_elbo_nats"])


def test_the_fault_is_worth_up_to_15_000_nats_at_the_reports_sizes(x: torch.Tensor, make_objective: MakeObjective) -> None:
    # errata vu4a 5: 100 latents, log-determinant at most 3 x 50.
    dim = 100
    model = flow_vae(dim)
    set_log_scales(model, -40.0)
    terms = faulty(make_objective, model, x)
    ceiling = COUPLINGS * dim / 2
    np.testing.assert_allclose(terms["objective_nats"] - terms["neg_elbo_nats"], -(dim - 1) * ceiling, rtol=1e-12)
    np.testing.assert_allclose(dim * model.prior.log_abs_det(torch.zeros(1, dim).double()).detach(), -15_000, rtol=1e-12)
    # Whatever the weights, the surplus is no larger.
    with torch.no_grad():
        for parameter in model.prior.parameters():
            nn.init.normal_(parameter, std=100)
        torch.manual_seed(6)
        z = 10 * torch.randn(1000, dim, dtype=torch.float64)
        assert model.prior.log_abs_det(z).abs().max() <= ceiling
