"""Whether a mixture fits an auto-encoder's codes, and whether it would fit better with predefined weights (lab1, section 3)."""

import math
import warnings
from typing import Any

import torch

from regen.common.determinism import derive_seed
from regen.config.probes import CodeFit
from regen.evaluation.probes.subject import Subject

__all__ = ["code_fit", "fitted", "mmd2", "permutation_test"]

MAX_ITERATIONS = 1000
SCALES = (0.125, 0.25, 0.5, 1.0)
"""Of the kernel, in medians of the distances: the median alone is as wide as all clusters together and sees none of them."""

SHARES = (0.2, 0.4, 1.0)
"""Of the codes: what a test tells apart depends on how many it has."""

TOLERANCE = 1e-4
"""Nats a code: expectation maximisation ends at a smaller gain."""


def code_fit(settings: CodeFit, subjects: list[Subject], seed: int) -> dict[str, Any]:
    """Return two-sample tests of held-out codes against the mixture, and held-out log-likelihoods under estimated and equal weights.

    The tests take more and more codes, `settings.codes` last.
    Either mixture is the best of `initialisations` by its training codes; both start from the same ones.
    """
    (subject,) = subjects
    train, held_out = (subject.model.codes(subject.prepared(split).images).cpu() for split in ("train", "test"))
    n = min(settings.codes, len(held_out))
    order = torch.randperm(len(held_out), generator=torch.Generator().manual_seed(derive_seed(seed, "codes")))
    torch.manual_seed(derive_seed(seed, "mixture samples"))
    samples = subject.model.latents(n).double().cpu()
    shuffled, draws = held_out[order[:n]], derive_seed(seed, "permutations")
    sizes = [round(share * n) for share in SHARES]
    tests = [{"n": size, **permutation_test(shuffled[:size], samples[:size], settings.permutations, draws)} for size in sizes]

    rows, held_out_log_p = [], {}
    for weights in ("estimated", "equal"):
        seeds = [derive_seed(seed, "mixture", start) for start in range(settings.initialisations)]
        fits = [fitted(train, len(subject.model.mixture.weights), weights == "equal", one) for one in seeds]
        score, best = max(((fit.score(train.numpy()), fit) for fit in fits), key=lambda pair: pair[0])
        held_out_log_p[weights] = torch.from_numpy(best.score_samples(held_out.numpy()))
        likelihoods = {"train_log_likelihood_nats": score, "test_log_likelihood_nats": held_out_log_p[weights].mean().item()}
        range_of = {"lowest_weight": float(best.weights_.min()), "highest_weight": float(best.weights_.max())}
        rows.append({"weights": weights, "initialisations": len(fits), **likelihoods, **range_of})
    difference = held_out_log_p["equal"] - held_out_log_p["estimated"]
    compared = {
        "test_difference_nats": difference.mean().item(),
        "test_difference_standard_error": difference.std().item() / math.sqrt(len(difference)),
    }
    return {"n_images": len(held_out), "permutations": settings.permutations, "tests": tests, **compared, "rows": rows}


def permutation_test(first: torch.Tensor, second: torch.Tensor, permutations: int, seed: int) -> dict[str, float]:
    """Return `mmd2` of two samples (n, d) and (m, d), the kernel's `bandwidth`, and the test's `p_value`.

    The kernel is the mean over `SCALES` s of exp(-|x - y|^2 / (2 (s bandwidth)^2)), the bandwidth the median distance of all pairs; the
    p-value counts the observed arrangement among the permuted ones. Source: Gretton et al. (2012), JMLR 13, sections 2 and 8.
    """
    both = torch.cat([first, second])
    distances = torch.cdist(both, both, compute_mode="donot_use_mm_for_euclid_dist")
    above = torch.ones_like(distances, dtype=torch.bool).triu_(1)
    bandwidth = distances[above].median()
    squares = distances.square_()
    kernel = torch.zeros_like(squares)
    for scale in SCALES:
        kernel += torch.exp(-squares / (2 * (scale * bandwidth) ** 2)) / len(SCALES)
    kernel.fill_diagonal_(0)
    generator = torch.Generator().manual_seed(seed)
    members = torch.zeros(len(both), permutations + 1, dtype=both.dtype)
    members[: len(first), 0] = 1
    for column in range(1, permutations + 1):
        members[torch.randperm(len(both), generator=generator)[: len(first)], column] = 1
    observed, *permuted = mmd2(kernel, members).tolist()
    # Not "greater or equal": where nothing is defined, nothing is significant.
    not_less = sum(not value < observed for value in permuted)
    return {"mmd2": observed, "p_value": (1 + not_less) / (1 + permutations), "bandwidth": bandwidth.item()}


def mmd2(kernel: torch.Tensor, members: torch.Tensor) -> torch.Tensor:
    """Return the unbiased squared maximum mean discrepancy (P,) for each column of members (N, P): 1 in the first sample, 0 in the second.

    kernel (N, N) with a diagonal of 0. Source: Gretton et al. (2012), equation 3.
    """
    n = members.sum(0)
    m = len(members) - n
    product = kernel @ members
    within = (members * product).sum(0)
    across = members.T @ kernel.sum(1) - within
    other = kernel.sum() - within - 2 * across
    return within / (n * (n - 1)) + other / (m * (m - 1)) - 2 * across / (n * m)


def fitted(codes: torch.Tensor, components: int, equal_weights: bool, seed: int) -> Any:
    """Return scikit-learn's mixture of full covariances after expectation maximisation on codes (N, d), of weights 1/k if `equal_weights`.

    With fixed weights the steps for means and covariances are the same: only the weights are set back after each.
    """
    from sklearn.mixture import GaussianMixture

    values = codes.numpy()
    mixture = GaussianMixture(components, max_iter=1, warm_start=True, random_state=seed % 2**32)
    score = -math.inf
    with warnings.catch_warnings():
        # Every call is one iteration and ends without convergence.
        warnings.simplefilter("ignore")
        for _ in range(MAX_ITERATIONS):
            mixture.fit(values)
            if equal_weights:
                mixture.weights_[:] = 1 / components
            # Of the parameters before this iteration.
            before, score = score, mixture.lower_bound_
            if score - before < TOLERANCE:
                break
    return mixture
