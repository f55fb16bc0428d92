"""Claims of lab1: the auto-encoder with a mixture over its codes, and the blur of the VAE's samples."""

from regen.claims.evidence import Evidence
from regen.claims.finding import Finding, Number, difference, mean, text
from regen.claims.measures import Measured, finding, frechet, gathered, percent
from regen.claims.orderings import Named, below, finite, numbers_of, shared
from regen.claims.registry import check

VAE, VAE_TWO, GAUSSIAN, MIXTURE = "lab1-vae-mnist", "lab1-vae-z2-mnist", "lab1-vae-gauss-mnist", "lab1-aegmm-mnist"

ABOUT_AS_GOOD = 0.2
"""Largest difference of two FCDs, over the VAE's, at which samples are about as good."""

SIGNIFICANT = 0.01

SHARPNESS = "variance of the Laplacian"


@check("lab1-1")
def as_good_as_the_vae(evidence: Evidence) -> Finding:
    """Test that the FCD of the mixture's samples is within 20 % of the VAE's, both with two latents."""
    mixture, vae = shared(frechet(evidence, MIXTURE), frechet(evidence, VAE_TWO))
    gap = difference(mixture, vae)
    share = gap.mean / mean(vae)
    words = (
        f"FCD of the auto-encoder with mixture ({text(mean(mixture))}) within 20 % of the VAE's with two latents ({text(mean(vae))}), "
        f"difference {gap.words}, {percent(abs(share))} {'better' if share < 0 else 'worse'}"
    )
    numbers = numbers_of("FCD", "", ("auto-encoder with mixture", mixture), ("VAE, 2 latents", vae))
    return finding([(abs(share) <= ABOUT_AS_GOOD, words)], [*numbers, Number("difference over the VAE's", 100 * share, "%")])


@check("lab1-2")
def mixture_misfits(evidence: Evidence) -> Finding:
    """Test that a permutation test of the kernel distance (MMD) tells held-out codes from the mixture's samples, p < 0.01."""
    fit = evidence.probe("code_fit")
    p, distance = finite(fit, "p_value"), finite(fit, "mmd2")
    words = (
        f"held-out codes are told from as many of the mixture's samples at p < {SIGNIFICANT:g}, {fit['n']:,} of each, p = {text(p)} "
        f"with {fit['permutations']:,} permutations, squared kernel distance {text(distance)} (one seed)"
    )
    numbers = [Number("p-value", p), Number("squared kernel distance (MMD)", distance), Number("codes of either sample", fit["n"])]
    return finding([(p < SIGNIFICANT, words)], [*numbers, Number("permutations", fit["permutations"])])


@check("lab1-3")
def blurred(evidence: Evidence) -> Finding:
    """Test that the variance of the Laplacian of the decoder's means is below that of real images."""
    samples, real = _sharpness(evidence, VAE), _sharpness(evidence, VAE, "test images")
    named: list[Named] = [("the VAE's means", samples), ("real images", real)]
    holds, words = below(f"{SHARPNESS} of", *named)
    share = mean(samples) / mean(real)
    numbers = [*numbers_of(SHARPNESS, "", *named), Number("share of real images'", 100 * share, "%")]
    return finding([(holds, f"{words}, {percent(share)} of it")], numbers)


@check("lab1-4")
def organised(evidence: Evidence) -> Finding:
    """Test that decoded prior draws are nearer to real images than the auto-encoder's from one Gaussian, and overfitting is less."""

    def distances() -> Measured:
        vae: Named = ("the VAE, codes from N(0, I)", frechet(evidence, VAE_TWO))
        gaussian: Named = ("the auto-encoder, codes from one fitted Gaussian", frechet(evidence, MIXTURE, "codes from one Gaussian"))
        standard: Named = ("the auto-encoder, codes from N(0, I)", frechet(evidence, MIXTURE, "codes from N(0, I)"))
        return [below("FCD of", vae, gaussian)], numbers_of("FCD", "", vae, gaussian, standard)

    def gaps() -> Measured:
        quantity = "validation minus training reconstruction"
        named: list[Named] = [("the VAE", _gap(evidence, VAE_TWO)), ("the auto-encoder", _gap(evidence, MIXTURE))]
        return [below(f"{quantity} of", *named, unit="nats")], numbers_of(quantity, "nats", *named)

    return gathered(distances, gaps)


@check("lab1-6")
def fixed_weights_fit_better(evidence: Evidence) -> Finding:
    """Test that held-out codes have a higher log-likelihood under fixed equal weights than under weights by EM."""
    fit = evidence.probe("code_fit")
    likelihoods = {row["weights"]: finite(row, "test_log_likelihood_nats") for row in fit["rows"]}
    gain, error = finite(fit, "test_difference_nats"), finite(fit, "test_difference_standard_error")
    words = (
        f"log-likelihood of held-out codes higher with equal weights ({text(likelihoods['equal'])} nats) than with weights by EM "
        f"({text(likelihoods['estimated'])} nats), difference {text(gain)} ± {text(error)} over codes (one seed)"
    )
    numbers = [Number(f"held-out log-likelihood, {name} weights", value, "nats") for name, value in likelihoods.items()]
    numbers += [Number("equal minus estimated", gain, "nats"), Number("its standard error over codes", error, "nats")]
    return finding([(gain > error, words)], numbers)


@check("lab1-7")
def blur_of_the_squared_error(evidence: Evidence) -> Finding:
    """Test that the variance of the Laplacian of the means is lower under the Gaussian likelihood than under the Bernoulli."""
    bernoulli, real = _sharpness(evidence, VAE), _sharpness(evidence, VAE, "test images")
    named: list[Named] = [("the Gaussian VAE's means", _sharpness(evidence, GAUSSIAN)), ("the Bernoulli VAE's", bernoulli)]
    holds, words = below(f"{SHARPNESS} of", *named)
    beside = f"{words}; the Bernoulli VAE's is {percent(mean(bernoulli) / mean(real))} of real images' ({text(mean(real))})"
    return finding([(holds, beside)], numbers_of(SHARPNESS, "", *named, ("real images", real)))


def _sharpness(evidence: Evidence, variant: str, images: str = "samples") -> dict[int, float]:
    return evidence.measure(variant, images, "laplacian_variance")


def _gap(evidence: Evidence, variant: str) -> dict[int, float]:
    """Return how much worse validation images are reconstructed than training images, by the last weights."""
    train, validation = (evidence.split(variant, "recon_nats", split) for split in ("train", "validation"))
    return {seed: validation[seed] - train[seed] for seed in validation}
