import numpy as np
import torch
from torch.distributions import Independent, Normal, kl_divergence

from regen.config.base import parse
from regen.config.model import Vae
from regen.models.build import build
from regen.models.flows import StandardNormal
from regen.models.objectives import elbo_terms, kl_nats

CONFIG = {
    "family": "vae",
    "network": {"kind": "mlp", "hidden": [7, 5], "activation": "relu"},
    "latent": {"kind": "gaussian", "dim": 3},
    "prior": {"kind": "standard"},
    "likelihood": {"kind": "bernoulli"},
}


def test_terms_against_numpy() -> None:
    torch.manual_seed(0)
    model = build(parse(Vae, CONFIG, "test"), [1, 2, 2])
    x = torch.rand(6, 1, 2, 2)
    torch.manual_seed(1)
    terms = elbo_terms(model, x)

    torch.manual_seed(1)
    noise = torch.randn(6, 3).numpy()
    weights = {name: value.detach().numpy() for name, value in model.state_dict().items()}

    def layers(values: np.ndarray, part: str) -> np.ndarray:
        for index in (0, 2, 4):
            values = values @ weights[f"{part}.network.{index}.weight"].T + weights[f"{part}.network.{index}.bias"]
            values = np.maximum(values, 0) if index < 4 else values
        return values

    pixels = x.flatten(1).numpy()
    hidden = layers(pixels, "encoder")
    mean, log_variance = hidden[:, :3], hidden[:, 3:]
    kl = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(1)
    logits = layers(mean + np.exp(0.5 * log_variance) * noise, "decoder")
    recon = (np.logaddexp(0, logits) - pixels * logits).sum(1)
    np.testing.assert_allclose(terms.kl_nats.detach(), kl, rtol=1e-5)
    np.testing.assert_allclose(terms.recon_nats.detach(), recon, rtol=1e-5)
    np.testing.assert_allclose(terms.neg_elbo_nats.detach(), recon + kl, rtol=1e-5)
    assert set(weights) == {
        f"{part}.network.{i}.{kind}" for part in ("encoder", "decoder") for i in (0, 2, 4) for kind in ("weight", "bias")
    }


def test_the_kl_from_a_standard_gaussian_has_the_bits_of_the_general_one() -> None:
    torch.manual_seed(6)
    given = [torch.randn(50, 7).requires_grad_(), (3 * torch.randn(50, 7)).exp().requires_grad_()]
    q, z = Independent(Normal(*given), 1), torch.zeros(50, 7)
    general = Independent(Normal(torch.zeros(50, 7), torch.ones(50, 7)), 1)
    ours, expected = kl_nats(q, StandardNormal(7)(), z), kl_divergence(q, general)
    assert torch.equal(ours, expected)
    gradients = [torch.autograd.grad(value.mean(), given) for value in (ours, expected)]
    assert all(map(torch.equal, *gradients))
