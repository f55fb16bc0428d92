"""Claims of lab1: the auto-encoder with a mixture over its codes, and the blur of the VAE's samples."""

from regen.claims.evidence import Evidence
from regen.claims.finding import Finding, Number, difference, mean, text
from regen.claims.measures import Measured, Named, finding, frechet, gathered, joined, noted, ordered, percent
from regen.claims.registry import check
from regen.claims.values import finite, shared

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
        f"FCD of the auto-encoder with mixture, {text(mean(mixture))}, within 20 % of {text(mean(vae))}, the VAE's with two latents "
        f"({percent(abs(share))} {'better' if share < 0 else 'worse'}, {gap.apart()})"
    )
    numbers = [Number("FCD, auto-encoder with mixture", mean(mixture)), Number("FCD, VAE with two latents", mean(vae))]
    return finding([(abs(share) <= ABOUT_AS_GOOD, words)], [*numbers, Number("difference over the VAE's", 100 * share, "%")])


@check("lab1-2")
def mixture_misfits(evidence: Evidence) -> Finding:
    """Test that a permutation test of the kernel distance (MMD) tells held-out codes from the mixture's samples, p < 0.01.

    The largest samples decide; beside them stands how p depends on their number.
    """
    fit = evidence.probe("code_fit")
    *fewer, most = ({"n": test["n"], "p": finite(test, "p_value"), "mmd2": finite(test, "mmd2")} for test in fit["tests"])
    beside = "".join(f"; with {test['n']:,} of each p = {text(test['p'])}" for test in fewer)
    words = (
        f"held-out codes are told from as many of the mixture's samples at p < {SIGNIFICANT:g}, {most['n']:,} of each (p = "
        f"{text(most['p'])} by {fit['permutations']:,} permutations, squared kernel distance {text(most['mmd2'])}; one seed{beside})"
    )
    numbers = [Number("permutations", fit["permutations"])]
    for test in (*fewer, most):
        codes = f"{test['n']:,} codes"
        numbers += [Number(f"p-value, {codes}", test["p"]), Number(f"squared kernel distance (MMD), {codes}", test["mmd2"])]
    return finding([(most["p"] < SIGNIFICANT, words)], numbers)


@check("lab1-3")
def blurred(evidence: Evidence) -> Finding:
    """Test that the variance of the Laplacian of the decoder's means is below that of real images."""
    samples, real = _sharpness(evidence, VAE), _sharpness(evidence, VAE, "test images")
    [(holds, words)], numbers = ordered(SHARPNESS, ("the VAE's means", samples), "below", ("real images", real))
    share = mean(samples) / mean(real)
    return finding([(holds, f"{words}, {percent(share)} of it")], [*numbers, Number("share of real images'", 100 * share, "%")])


@check("lab1-4")
def organised(evidence: Evidence) -> Finding:
    """Test that decoded prior draws are nearer to real images than the auto-encoder's from one Gaussian, and overfitting is less."""

    def distances() -> Measured:
        gaussian, standard = (frechet(evidence, MIXTURE, images) for images in ("codes from one Gaussian", "codes from N(0, I)"))
        other: Named = ("the auto-encoder with codes from one fitted Gaussian", gaussian)
        parts, numbers = ordered("FCD", ("the VAE with codes from N(0, I)", frechet(evidence, VAE_TWO)), "below", other)
        return parts, [*numbers, Number("FCD, the auto-encoder with codes from N(0, I)", mean(standard))]

    def gaps() -> Measured:
        vae, other = (("the VAE", _gap(evidence, VAE_TWO)), ("the auto-encoder", _gap(evidence, MIXTURE)))
        return ordered("validation minus training reconstruction", vae, "below", other, "nats")

    def with_mixture() -> tuple[str, list[Number]]:
        mixture, vae = (mean(values) for values in shared(frechet(evidence, MIXTURE), frechet(evidence, VAE_TWO)))
        sentence = f"With codes from the mixture the auto-encoder has {text(mixture)}, {'below' if mixture < vae else 'above'} the VAE."
        return sentence, [Number("FCD, the auto-encoder with codes from the mixture", mixture)]

    return noted(gathered(distances, gaps), with_mixture)


@check("lab1-6")
def fixed_weights_fit_better(evidence: Evidence) -> Finding:
    """Test that held-out codes have a higher log-likelihood under fixed equal weights than under weights by EM."""
    fit = evidence.probe("code_fit")
    likelihoods = {row["weights"]: finite(row, "test_log_likelihood_nats") for row in fit["rows"]}
    gain, error = finite(fit, "test_difference_nats"), finite(fit, "test_difference_standard_error")
    words = (
        f"log-likelihood of held-out codes with equal weights at {text(likelihoods['equal'])} above weights by EM at "
        f"{text(likelihoods['estimated'])} (difference {text(gain)} ± {text(error)} nats over codes; one seed)"
    )
    numbers = [Number(f"held-out log-likelihood, {name} weights", value, "nats") for name, value in likelihoods.items()]
    numbers += [Number("equal minus estimated", gain, "nats"), Number("its standard error over codes", error, "nats")]
    return finding([(gain > error, words)], numbers)


@check("lab1-7")
def blur_of_the_squared_error(evidence: Evidence) -> Finding:
    """Test that the Gaussian likelihood's means are less sharp than the Bernoulli's, by half at least of what they lack of real images."""
    bernoulli, gaussian = shared(_sharpness(evidence, VAE), _sharpness(evidence, GAUSSIAN))
    less = ordered(SHARPNESS, ("the Gaussian VAE's means", gaussian), "below", ("the Bernoulli VAE's", bernoulli))
    real = mean(shared(_sharpness(evidence, VAE, "test images"), gaussian)[0])
    share = (mean(bernoulli) - mean(gaussian)) / (real - mean(gaussian))
    words = (
        f"the Gaussian VAE's means lie {text(real - mean(gaussian))} below real images, {text(real)}; the Bernoulli VAE's make up "
        f"{percent(share)} of that, at least half"
    )
    numbers = [Number(f"{SHARPNESS}, real images", real), Number("share that the Bernoulli VAE makes up", 100 * share, "%")]

    def information() -> tuple[str, list[Number]]:
        with_squares, with_entropy = (mean(evidence.value(variant, "kl_nats")) for variant in (GAUSSIAN, VAE))
        sentence = (
            f"The Gaussian's fixed standard deviation also leaves its latents {text(with_squares)} nats, where the Bernoulli VAE's carry "
            f"{text(with_entropy)}: the form of the error is not told from its scale."
        )
        return sentence, [Number("KL, Gaussian VAE", with_squares, "nats"), Number("KL, Bernoulli VAE", with_entropy, "nats")]

    return noted(finding(*joined(less, ([(share >= 0.5, words)], numbers))), information)


def _sharpness(evidence: Evidence, variant: str, images: str = "samples") -> dict[int, float]:
    return evidence.measure(variant, images, "laplacian_variance")


def _gap(evidence: Evidence, variant: str) -> dict[int, float]:
    """Return how much worse validation images are reconstructed than training images, by the last weights."""
    train, validation = evidence.split(variant, "recon_nats", "train"), evidence.split(variant, "recon_nats", "validation")
    return {seed: validation[seed] - train[seed] for seed in validation}
