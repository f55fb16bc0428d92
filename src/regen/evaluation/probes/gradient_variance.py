"""What the noise of an ELBO's gradient comes from: the latents that are drawn, or the batch (lab1, section 0.5)."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from regen.common.determinism import derive_seed
from regen.config.probes import GradientVariance
from regen.evaluation.probes.subject import Subject
from regen.images.batches import to_unit_interval
from regen.models.objectives import kl_nats

__all__ = ["elbo_gradient", "gradient_variance", "split_variance"]


def gradient_variance(settings: GradientVariance, subjects: list[Subject], seed: int) -> dict[str, Any]:
    """Return, by number of samples and batch size, both parts of the variance of the gradient of -ELBO, before training and at its end.

    Batches are of training images, without replacement within a batch. The latents' share is of the sum of both parts.
    """
    (subject,) = subjects
    images = subject.prepared("train").images
    rows = []
    for state, model in (("before training", subject.untrained), ("final", subject.model)):
        for size in settings.batch_sizes:
            for samples in settings.samples:
                generator = torch.Generator().manual_seed(derive_seed(seed, "batches", size))

                def batches(size: int = size, generator: torch.Generator = generator) -> Iterator[torch.Tensor]:
                    for _ in range(settings.batches):
                        index = torch.randperm(len(images), generator=generator)[:size]
                        yield to_unit_interval(images[index.to(images.device)])

                torch.manual_seed(derive_seed(seed, "latents", state, size, samples))
                latents, batch, square = split_variance(elbo_gradient(model, samples), batches(), settings.repeats)
                parts = {"latent_variance": latents, "batch_variance": batch, "latent_share": latents / (latents + max(batch, 0.0))}
                rows.append({"state": state, "samples": samples, "batch_size": min(size, len(images)), **parts, "squared_norm": square})
    return {"n_images": len(images), "batches": settings.batches, "repeats": settings.repeats, "rows": rows}


def elbo_gradient(model: Any, samples: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the gradient (P,) of the mean over images x (B, C, H, W) of -ELBO at `samples` draws of q, pathwise, in double precision."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]

    def gradient(x: torch.Tensor) -> torch.Tensor:
        q = model.encoder(x)
        z = q.rsample(torch.Size([samples]))
        recon = -model.decoder(z).log_prob(x)
        loss = recon.mean() + kl_nats(q, model.prior(), z).mean()
        found = torch.autograd.grad(loss, parameters)
        return torch.cat([one.flatten() for one in found]).double()

    return gradient


def split_variance(
    gradient: Callable[[torch.Tensor], torch.Tensor], batches: Iterable[torch.Tensor], repeats: int
) -> tuple[float, float, float]:
    """Return tr E[Var(g | batch)], tr Var(E[g | batch]) and |E g|^2, unbiased, of gradients g drawn `repeats` times at every batch.

    By the law of total variance the first two add up to tr Var g. The second is the variance of the batches' means less what of the first
    is left in them, so that its estimate may fall below 0. Source: analysis of variance with one random effect.
    """
    within, squares, count = 0.0, 0.0, 0
    total = torch.zeros(())
    for x in batches:
        drawn = [gradient(x) for _ in range(repeats)]
        mean = torch.stack(drawn).mean(0)
        within += sum((one - mean).square().sum().item() for one in drawn) / (repeats - 1)
        squares += mean.square().sum().item()
        total, count = total + mean, count + 1
    latents, overall = within / count, (total / count).square().sum().item()
    of_means = (squares - count * overall) / (count - 1)
    return latents, of_means - latents / repeats, overall - of_means / count
