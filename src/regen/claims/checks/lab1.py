"""Checks of lab1's claims: the auto-encoder with a mixture over its codes, and the blur of the VAE's samples."""

from regen.claims.evidence import Evidence
from regen.claims.finding import Finding, Number, difference, from_parts, mean, text
from regen.claims.orderings import Named, below, numbers_of, percent, shared
from regen.claims.registry import check

__all__: list[str] = []

VAE, VAE_TWO, GAUSSIAN, MIXTURE = "lab1-vae-mnist", "lab1-vae-z2-mnist", "lab1-vae-gauss-mnist", "lab1-aegmm-mnist"

ABOUT_AS_GOOD = 0.2
"""Largest difference of two Frechet distances, over the VAE's, at which samples are about as good."""

SIGNIFICANT = 0.01

SHARPNESS = "variance of the Laplacian of"


@check("lab1-1")
def as_good_as_the_vae(evidence: Evidence) -> Finding:
    """Test that the Frechet distance of the mixture's samples is within 20 % of the VAE's, both with two latents."""
    mixture, vae = shared(_distance(evidence, MIXTURE), _distance(evidence, VAE_TWO))
    gap = difference(mixture, vae)
    share = gap.mean / mean(vae)
    words = (
        f"Frechet distance of the auto-encoder with mixture ({text(mean(mixture))}) within 20 % of the VAE's with two latents "
        f"({text(mean(vae))}), difference {gap.words}, {percent(abs(share))} {'better' if share < 0 else 'worse'}"
    )
    numbers = numbers_of("Frechet distance", "", ("auto-encoder with mixture", mixture), ("VAE, 2 latents", vae))
    return Finding(*from_parts([(abs(share) <= ABOUT_AS_GOOD, words)]), [*numbers, Number("Difference over the VAE's", share)])


@check("lab1-2")
def mixture_misfits(evidence: Evidence) -> Finding:
    """Test that a permutation test of the kernel distance (MMD) tells held-out codes from the mixture's samples, p < 0.01."""
    fit = evidence.probe("code_fit")
    p = float(fit["p_value"])
    words = (
        f"held-out codes are told from as many of the mixture's samples at p < {SIGNIFICANT:g}, {fit['n']:,} of each, p = {text(p)} "
        f"with {fit['permutations']:,} permutations, squared kernel distance {text(float(fit['mmd2']))}"
    )
    numbers = [
        Number("p-value", p),
        Number("Squared kernel distance (MMD)", float(fit["mmd2"])),
        Number("Codes of either sample", fit["n"]),
    ]
    return Finding(*from_parts([(p < SIGNIFICANT, words)]), [*numbers, Number("Permutations", fit["permutations"])])


@check("lab1-3")
def blurred(evidence: Evidence) -> Finding:
    """Test that the variance of the Laplacian of the decoder's means is below that of real images."""
    samples, real = _sharpness(evidence, VAE), _sharpness(evidence, VAE, "test images")
    named: list[Named] = [("the VAE's means", samples), ("real images", real)]
    holds, words = below(SHARPNESS, *named)
    share = mean(samples) / mean(real)
    numbers = [*numbers_of("Variance of the Laplacian", "", *named), Number("Share of real images'", share)]
    return Finding(*from_parts([(holds, f"{words}, {percent(share)} of it")]), numbers)


@check("lab1-4")
def organised(evidence: Evidence) -> Finding:
    """Test that decoded prior draws are nearer to real images than the auto-encoder's from one Gaussian, and overfitting is less."""
    vae: Named = ("the VAE, codes from N(0, I)", _distance(evidence, VAE_TWO))
    gaussian: Named = ("the auto-encoder, codes from one fitted Gaussian", _of_codes(evidence, "codes from one Gaussian"))
    standard: Named = ("the auto-encoder, codes from N(0, I)", _of_codes(evidence, "codes from N(0, I)"))
    gaps: list[Named] = [("the VAE", _gap(evidence, VAE_TWO)), ("the auto-encoder", _gap(evidence, MIXTURE))]
    parts = [below("Frechet distance of", vae, gaussian), below("validation minus training reconstruction of", *gaps, unit="nats")]
    numbers = numbers_of("Frechet distance", "", vae, gaussian, standard)
    return Finding(*from_parts(parts), [*numbers, *numbers_of("Validation minus training reconstruction", "nats", *gaps)])


@check("lab1-6")
def fixed_weights_fit_better(evidence: Evidence) -> Finding:
    """Test that held-out codes have a higher log-likelihood under fixed equal weights than under weights by EM."""
    fit = evidence.probe("code_fit")
    likelihoods = {row["weights"]: float(row["test_log_likelihood_nats"]) for row in fit["rows"]}
    gain, error = float(fit["test_difference_nats"]), float(fit["test_difference_standard_error"])
    words = (
        f"log-likelihood of held-out codes higher with equal weights ({text(likelihoods['equal'])} nats) than with weights by EM "
        f"({text(likelihoods['estimated'])} nats), difference {text(gain)} ± {text(error)} over codes (one seed)"
    )
    numbers = [Number(f"Held-out log-likelihood, {name} weights", value, "nats") for name, value in likelihoods.items()]
    numbers += [Number("Equal minus estimated", gain, "nats"), Number("Its standard error over codes", error, "nats")]
    return Finding(*from_parts([(gain > error, words)]), numbers)


@check("lab1-7")
def blur_of_the_squared_error(evidence: Evidence) -> Finding:
    """Test that the variance of the Laplacian of the means is lower under the Gaussian likelihood than under the Bernoulli."""
    bernoulli, real = _sharpness(evidence, VAE), _sharpness(evidence, VAE, "test images")
    named: list[Named] = [("the Gaussian VAE's means", _sharpness(evidence, GAUSSIAN)), ("the Bernoulli VAE's", bernoulli)]
    holds, words = below(SHARPNESS, *named)
    beside = f"{words}; the Bernoulli VAE's is {percent(mean(bernoulli) / mean(real))} of real images' ({text(mean(real))})"
    return Finding(*from_parts([(holds, beside)]), numbers_of("Variance of the Laplacian", "", *named, ("real images", real)))


def _distance(evidence: Evidence, variant: str) -> dict[int, float]:
    return evidence.value(variant, "frechet_classifier_distance", of="quality")


def _of_codes(evidence: Evidence, images: str) -> dict[int, float]:
    return evidence.measure(MIXTURE, images, "frechet_classifier_distance")


def _sharpness(evidence: Evidence, variant: str, images: str = "samples") -> dict[int, float]:
    return evidence.measure(variant, images, "laplacian_variance")


def _gap(evidence: Evidence, variant: str) -> dict[int, float]:
    """Return how much worse validation images are reconstructed than training images, by the last weights."""
    train, validation = (evidence.split(variant, "recon_nats", split) for split in ("train", "validation"))
    return {seed: validation[seed] - train[seed] for seed in validation}
