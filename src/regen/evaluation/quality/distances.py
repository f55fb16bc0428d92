"""How far two sets of features are apart: as Gaussians, by a kernel, by nearest neighbours."""

import math

import numpy as np
import torch

__all__ = ["density_and_coverage", "frechet", "kernel", "nearest_distances", "precision_and_recall", "shuffled"]

BLOCKS = 10
"""Disjoint blocks whose kernel distances give the mean and its standard error."""

NEIGHBOURS_PRECISION, NEIGHBOURS_DENSITY = 3, 5
"""Neighbours that a ball reaches to (Kynkaanniemi et al., 2019, arXiv:1904.06991; Naeem et al., 2020, arXiv:2002.09797)."""

ROWS = 1000
"""Rows of a matrix of distances held at once."""


def shuffled(features: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """Return `count` of the features (N, F) in a random order of the seed: files may be sorted by class or by writer."""
    order = torch.randperm(len(features), generator=torch.Generator().manual_seed(seed))
    return features[order[:count].to(features.device)]


def frechet(real: torch.Tensor, generated: torch.Tensor) -> float:
    """Return the squared Frechet distance of two Gaussians fitted to features (N, F) and (M, F); never below 0 but by rounding."""
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    statistics = [fid_features_to_statistics(features.cpu().double()) for features in (real, generated)]
    for one in statistics:
        # Of a single feature it is a number.
        one["sigma"] = np.atleast_2d(one["sigma"])
    return float(fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID])


def kernel(real: torch.Tensor, generated: torch.Tensor) -> tuple[float, float]:
    """Return the mean and its standard error of the unbiased squared kernel distance over ten disjoint blocks of N features (N, F) each.

    A block is a run of rows, so they must be in no order (`shuffled`), and in another one for every pair of sets that is compared: which
    rows meet in a block shifts the mean, of few rows by as much as its standard error. The kernel is (x.y / F + 1)^3.
    Source: Binkowski et al. (2018), arXiv:1801.01401, section 4.
    """
    from torch_fidelity.metric_kid import kernel_mmd

    # tensor_split, for chunk may make fewer blocks and leave one image to the last.
    pairs = zip(real.cpu().double().tensor_split(BLOCKS), generated.cpu().double().tensor_split(BLOCKS), strict=True)
    values = torch.tensor([float(kernel_mmd(one.numpy(), other.numpy())) for one, other in pairs], dtype=torch.float64)
    return values.mean().item(), values.std().item() / math.sqrt(len(values))


def precision_and_recall(real: torch.Tensor, generated: torch.Tensor) -> tuple[float, float]:
    """Return the share of generated features (N, F) within a ball about a real one, and of real ones within one about a generated one."""
    from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

    settings = {"prc_neighborhood": NEIGHBOURS_PRECISION, "prc_batch_size": ROWS, "save_cpu_ram": True, "verbose": False}
    found = prc_features_to_metric(generated, real, **settings)
    # Shares in single precision: the counts behind them are exact.
    precision, recall = round(float(found[KEY_METRIC_PRECISION]) * len(generated)), round(float(found[KEY_METRIC_RECALL]) * len(real))
    return precision / len(generated), recall / len(real)


def density_and_coverage(real: torch.Tensor, generated: torch.Tensor) -> tuple[float, float]:
    """Return the mean number of real balls about a generated feature over k, and the share of real balls that hold one; (N, F), (M, F).

    A real ball reaches to its k-th neighbour among the real ones. No library that is kept up has these two.
    """
    k = NEIGHBOURS_DENSITY
    # The nearest of all is the feature itself.
    radii = torch.cat([torch.cdist(block, real).topk(k + 1, largest=False).values[:, k] for block in real.split(ROWS)])
    held = torch.zeros(len(real), dtype=torch.bool, device=real.device)
    balls = 0
    for block in generated.split(ROWS):
        inside = torch.cdist(block, real) <= radii
        balls += int(inside.sum())
        held |= inside.any(0)
    return balls / (k * len(generated)), held.double().mean().item()


def nearest_distances(features: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Return the distance (N,) of each of the features (N, F) to the nearest of others (M, F)."""
    nearest = torch.cat([torch.cdist(block, others).argmin(1) for block in features.split(ROWS)])
    # cdist goes by a matrix product, which leaves something between equal rows.
    distances: torch.Tensor = (features - others[nearest]).norm(dim=1)
    return distances
