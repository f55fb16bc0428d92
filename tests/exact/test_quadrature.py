"""With two latents log p(x) is an integral that a grid gives to many digits."""

import numpy as np
import torch
from scipy.special import logsumexp

from regen.config.base import parse
from regen.config.variant import Model
from regen.evaluation.likelihood import importance_sampled_nll
from regen.models.vae import build

SAMPLES = 100_000
CONFIG = {
    "network": {"kind": "mlp", "hidden": [8], "activation": "relu"},
    "latent": {"kind": "gaussian", "dim": 2},
    "prior": {"kind": "standard"},
    "likelihood": {"kind": "bernoulli"},
}


def test_importance_sampling_agrees_with_quadrature() -> None:
    torch.manual_seed(3)
    model = build(parse(Model, CONFIG, "test"), [1, 3, 3])
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(3)  # a decoder that uses its latents
        for parameter in model.encoder.parameters():
            parameter.zero_()  # q = N(0, I), so that the estimate's variance is an integral too
    images = torch.randint(0, 2, (4, 1, 3, 3), dtype=torch.uint8) * 255
    estimate = importance_sampled_nll(model, images, SAMPLES)

    axis = np.linspace(-7, 7, 301)
    first, second = np.meshgrid(axis, axis)
    z = np.stack([first.ravel(), second.ravel()], axis=1)
    with torch.no_grad():
        logits = model.decoder.network(torch.from_numpy(z).float()).double().numpy()
    x = images.flatten(1).numpy() / 255.0
    log_likelihood = x @ logits.T - np.logaddexp(0, logits).sum(1)
    log_prior = -0.5 * (z**2).sum(1) - np.log(2 * np.pi)
    log_area = 2 * np.log(axis[1] - axis[0])
    exact = logsumexp(log_likelihood + log_prior, axis=1) + log_area
    second_moment = np.exp(logsumexp(2 * log_likelihood + log_prior, axis=1) + log_area - 2 * exact)
    error = np.sqrt((second_moment - 1) / SAMPLES)
    assert np.all(np.abs(-estimate.nll_nats.numpy() - exact) < 4 * error)
    assert np.all(error < 0.01)
