"""Score-function (REINFORCE) gradients of -E_q log p(x | z) for latents that have no pathwise one.

Each estimator returns a scalar of value 0 whose gradient is an unbiased estimate of the gradient of the batch's mean
reconstruction with respect to q's parameters. Arguments: recon (S, B) in nats without gradient, log_q (S, B) with it.
"""

from collections.abc import Callable

import torch
from torch import nn

__all__ = ["ESTIMATORS", "RunningAverage"]


class RunningAverage(nn.Module):
    """A running average of the reconstruction of earlier steps; in the first step, of the batch's other images.

    Without a decay it is the mean of all earlier steps.
    """

    mean: torch.Tensor
    steps: torch.Tensor

    def __init__(self, decay: float | None) -> None:
        super().__init__()
        self.decay = decay
        # Not yet known; buffers, so that an interrupted run goes on with them.
        self.register_buffer("mean", torch.tensor(torch.nan))
        self.register_buffer("steps", torch.tensor(0.0))

    def forward(self, recon: torch.Tensor) -> torch.Tensor:
        """Return the baseline of recon (1, B), which no draw that it is subtracted from enters, and take recon in."""
        others = (recon.sum() - recon) / max(1, recon.numel() - 1)
        baseline = torch.where(self.mean.isnan(), others, self.mean)
        kept = self.steps / (self.steps + 1) if self.decay is None else self.decay
        self.mean = torch.where(self.mean.isnan(), recon.mean(), kept * self.mean + (1 - kept) * recon.mean())
        self.steps = self.steps + 1
        return baseline


def no_baseline(recon: torch.Tensor, log_q: torch.Tensor, average: RunningAverage) -> torch.Tensor:
    """Williams (1992): every image's own product."""
    return _without_value((recon * log_q).mean())


def running_average(recon: torch.Tensor, log_q: torch.Tensor, average: RunningAverage) -> torch.Tensor:
    """ai3611, Algorithm 1, corrected: every image's own product, minus a running average."""
    return _without_value(((recon - average(recon)) * log_q).mean())


def leave_one_out(recon: torch.Tensor, log_q: torch.Tensor, average: RunningAverage) -> torch.Tensor:
    """Mnih and Rezende (2016), arXiv:1602.06725: the baseline of a sample is the mean of the image's other samples."""
    samples = len(recon)
    others = (recon.sum(0) - recon) / (samples - 1)
    return _without_value(((recon - others) * log_q).mean())


def as_printed(recon: torch.Tensor, log_q: torch.Tensor, average: RunningAverage) -> torch.Tensor:
    """ai3611, Algorithm 1, as printed: a sum over the batch times a sum over the batch.

    The product has a zero-mean term for every pair of images. The baseline is an average an image, taken from a sum over
    images; it is 0 in the first step, and as printed it has no decay.
    """
    baseline = average.mean.nan_to_num()
    average(recon)
    return _without_value((recon.sum() - baseline) * log_q.sum() / recon.numel())


def _without_value(surrogate: torch.Tensor) -> torch.Tensor:
    return surrogate - surrogate.detach()


ESTIMATORS: dict[str, Callable[[torch.Tensor, torch.Tensor, RunningAverage], torch.Tensor]] = {
    "no_baseline": no_baseline,
    "running_average": running_average,
    "leave_one_out": leave_one_out,
    "as_printed": as_printed,
}
