"""With two latents log p(x) is an integral that a grid gives to many digits."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import nn
from torch.distributions import ComposeTransform

from regen.config.base import parse
from regen.config.model import Vae
from regen.evaluation.held_out.importance_sampling import importance_sampled_nll
from regen.models.build import build

SAMPLES, SCALE = 40_000, 2.0
SHAPE = [1, 4, 4]
MLP = {"kind": "mlp", "hidden": [8], "activation": "tanh"}
CONV = {
    "kind": "conv",
    "channels": [3, 2],
    "hidden": [5],
    "activation": "leaky_relu_0.2",
    "decoder_activation": "tanh",
    "batch_norm": False,
    "upsampling": {"kind": "transposed", "kernel": 4},
}
STANDARD = {"kind": "standard"}
FLOW = {"kind": "realnvp", "couplings": 3, "networks": "one_each", "hidden": [4], "activation": "tanh"}


def two_latents(network: dict[str, Any], prior: dict[str, Any]) -> Any:
    """A decoder that uses its latents, and q = N(0, SCALE^2 I), wider than the prior."""
    latent, likelihood = {"kind": "gaussian", "dim": 2}, {"kind": "bernoulli"}
    config = {"family": "vae", "network": network, "latent": latent, "prior": prior, "likelihood": likelihood}
    torch.manual_seed(3)
    model = build(parse(Vae, config, "test"), SHAPE)
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(3)
        for parameter in model.encoder.parameters():
            parameter.zero_()
        last = [layer for layer in model.encoder.modules() if isinstance(layer, nn.Linear)][-1]
        last.bias[2:] = 2 * np.log(SCALE)
    return model


@pytest.mark.parametrize(("network", "prior"), [(MLP, STANDARD), (CONV, STANDARD), (MLP, FLOW)], ids=["MLP", "convolutions", "flow prior"])
def test_importance_sampling_agrees_with_quadrature(network: dict[str, Any], prior: dict[str, Any]) -> None:
    model = two_latents(network, prior)
    images = torch.randint(0, 2, (4, *SHAPE), dtype=torch.uint8) * 255
    estimate = importance_sampled_nll(model, images, [SAMPLES])[SAMPLES]

    # The integral over p(z) as one over the noise u ~ N(0, I) that a flow makes z of.
    axis = np.linspace(-7, 7, 201)
    u = np.stack([part.ravel() for part in np.meshgrid(axis, axis)], axis=1)
    noise = torch.from_numpy(u).float()
    with torch.no_grad():
        z = ComposeTransform(model.prior.flow.transforms())(noise) if prior is FLOW else noise
        logits = model.decoder.network(z).flatten(1).double().numpy()
        # Of the density only the size of the tolerance depends.
        log_prior = model.prior().log_prob(z).double().numpy()
    x = images.flatten(1).numpy() / 255.0
    log_likelihood = x @ logits.T - np.logaddexp(0, logits).sum(1)
    log_measure = -0.5 * (u**2).sum(1) - np.log(2 * np.pi) + 2 * np.log(axis[1] - axis[0])
    exact = logsumexp(log_likelihood + log_measure, axis=1)
    log_q = -0.5 * (z.double().numpy() ** 2).sum(1) / SCALE**2 - np.log(2 * np.pi * SCALE**2)
    second_moment = np.exp(logsumexp(2 * log_likelihood + log_prior - log_q + log_measure, axis=1) - 2 * exact)
    error = np.sqrt((second_moment - 1) / SAMPLES)
    assert np.all(np.abs(-estimate.nll_nats.numpy() - exact) < 4 * error)
    assert np.all(error < 0.02)
