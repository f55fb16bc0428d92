"""Claims of lab1: the VAE, its blur, and the auto-encoder with a mixture over its codes."""

from statistics import fmean

from regen.claims.case import Case, text
from regen.claims.check import check
from regen.claims.interval import Z, differences, of_seeds
from regen.claims.reads import fcd, measure, value
from regen.results import number

VAE, BINARISED, VAE_TWO = "lab1-vae-mnist", "lab1-vae-bmnist", "lab1-vae-z2-mnist"
GAUSSIAN, MIXTURE = "lab1-vae-gauss-mnist", "lab1-aegmm-mnist"


@check("lab1-1", gives="mixture vae vae_20 share better")
def as_good_as_the_vae(case: Case) -> None:
    """One-sided: turned into a generative model, the auto-encoder is no worse than the VAE."""
    with case.part():
        mixture, vae = fcd(case.results)(MIXTURE), fcd(case.results)(VAE_TWO)
        shares = {seed: 100 * gap / vae[seed] for seed, gap in differences(mixture, vae).items()}
        case.level("By how much is the mixture's Fréchet distance above the VAE's, both of two latents?", shares, "below", (10, 20), "%")
        case.number("mixture", mixture, "", "Fréchet distance, auto-encoder with mixture")
        case.number("vae", vae, "", "Fréchet distance, VAE of two latents")
        case.number("vae_20", fcd(case.results)(VAE), "", "Fréchet distance, VAE of twenty latents")
        case.number("share", shares, "%", "mixture above VAE")
        mean = fmean(shares.values())
        case.number("better", f"{abs(mean):.0f} % {'better' if mean < 0 else 'worse'}", "", "auto-encoder against VAE")


@check("lab1-2", gives="p codes squared_distance fewer p_fewer fitted held_out")
def mixture_misfits(case: Case) -> None:
    """A permutation test of held-out codes against as many of the mixture's samples."""
    with case.part():
        fit = case.results.probe("code_fit")
        most = fit["tests"][-1]
        asked = f"How likely is a kernel distance (MMD) of {most['n']:,} held-out codes this large, if the mixture fitted?"
        p = number(most, "p_value")
        case.chance(asked, p, f"{fit['permutations']:,} permutations")
        least = 1 / (fit["permutations"] + 1)
        case.number("p", f"p = {text(p)}" if p > 1.5 * least else f"p ≤ {text(least)}, the least that it can give", "", "p-value")
        case.number("codes", f"{most['n']:,}", "", "codes that are tested")
        case.number("squared_distance", number(most, "mmd2"), "", "squared kernel distance (MMD) of the codes from the mixture's samples")
        few = fit["tests"][0]
        case.number("fewer", f"{few['n']:,}", "", "codes of the smallest test")
        case.number("p_fewer", text(number(few, "p_value")), "", "p-value of the smallest test")
        own = {row["weights"]: row for row in fit["rows"]}["estimated"]
        for name, codes, key in (("fitted", "training images", "train"), ("held_out", "test images", "test")):
            case.number(name, number(own, f"{key}_log_likelihood_nats"), "nats", f"log-likelihood of a code under the mixture, {codes}")


@check("lab1-3", gives="share binarised")
def blurred(case: Case) -> None:
    """Sharpness of the decoder's means against real images', grey and binarised."""
    for name, variant, share in (("grey images", VAE, "share"), ("binarised images", BINARISED, "binarised")):
        with case.part(name):
            samples, real = (measure(case.results, "laplacian_variance", images)(variant) for images in ("samples", "test images"))
            case.paired(f"Are the VAE's means less sharp than real {name}?", samples, "below", real)
            shares = {seed: 100 * samples[seed] / real[seed] for seed in samples}
            case.number(share, shares, "%", f"sharpness over that of real {name}")


@check("lab1-4", gives="vae auto_encoder by_seed gap_vae gap_auto_encoder")
def organised(case: Case) -> None:
    """Decoded draws of one Gaussian, and how much worse held-out images are reconstructed than training images."""
    with case.part("better organised"):
        gaussian, vae = fcd(case.results, "codes from one Gaussian")(MIXTURE), fcd(case.results)(VAE_TWO)
        case.paired("Are the VAE's samples nearer to real images than the auto-encoder's from one fitted Gaussian?", vae, "below", gaussian)
        case.number("vae", vae, "", "Fréchet distance, VAE")
        case.number("auto_encoder", gaussian, "", "Fréchet distance, auto-encoder, one Gaussian")
        apart = ", ".join(f"{gap:+.0f}" for gap in differences(gaussian, vae).values())
        case.number("by_seed", apart.replace("-", "\N{MINUS SIGN}"), "", "auto-encoder minus VAE, by seed")
    with case.part("overfits less"):
        gaps = {}
        for name, variant in {"vae": VAE_TWO, "auto_encoder": MIXTURE}.items():
            train, validation = (case.results.split(variant, "recon_nats", split) for split in ("train", "validation"))
            gaps[name] = differences(validation, train)
            case.number(f"gap_{name}", gaps[name], "nats", f"validation minus training reconstruction, {name.replace('_', '-')}")
        asked = "Is its gap between validation and training reconstruction smaller?"
        case.paired(asked, gaps["vae"], "below", gaps["auto_encoder"], "nats")


@check("lab1-5", gives="gap_100 gap_16 cost share_1 share_10")
def one_sample_suffices(case: Case) -> None:
    """One sample against ten an image, in batches of 100 and of 16: the loss that is lost must vanish at 100 and be larger at 16."""
    name = "ext-vae-l{}-b{}-mnist"

    def read(variant: str) -> dict[int, float]:
        # The mean over all draws of the likelihood's protocol, some thousands an image.
        return case.results.likelihood(variant, "nll_nats", importance_samples=1)

    gaps = {}
    with case.part():
        for batch in (100, 16):
            gaps[batch] = differences(read(name.format(1, batch)), read(name.format(10, batch)))
            case.number(f"gap_{batch}", gaps[batch], "nats", f"-ELBO of one sample minus ten, batches of {batch}")
        gap = of_seeds(gaps[100])
        cost = 100 * gap.mean / fmean(read(name.format(10, 100)).values())
        case.number("cost", f"{cost:.1f}", "%", "the same as a share of the loss, batches of 100")
        # The error of this pair alone: that of other variants can be so large that everything lies within it.
        ends, within = (None, None) if gap.half is None else (gap.reach, not gap.above(0))
        asked = "In batches of 100: is what one sample costs against ten within its error?"
        case.fact(
            asked, gap.mean, "an interval that reaches 0", within, "nats", gap.source, ends, why="three seeds are needed for its error"
        )
        case.paired("Is the gap larger in batches of 16?", gaps[16], "above", gaps[100], "nats")
    with case.part():
        rows = case.results.probe("gradient_variance")["rows"]
        shares = {row["samples"]: row["latent_share"] for row in rows if (row["state"], row["batch_size"]) == ("final", 100)}
        for samples, of in ((1, "one sample"), (10, "ten samples")):
            label = f"of the gradient's variance, share that is due to z: {of}, trained"
            case.number(f"share_{samples}", 100 * float(shares[samples]), "%", label)


@check("lab1-6", gives="estimated equal gain")
def fixed_weights_fit_better(case: Case) -> None:
    """A mixture of fixed equal weights against one of weights by expectation maximisation: fitted codes, and held-out ones."""
    with case.part():
        fit = case.results.probe("code_fit")
        rows = {row["weights"]: row for row in fit["rows"]}
        gain = number(rows["equal"], "train_log_likelihood_nats") - number(rows["estimated"], "train_log_likelihood_nats")
        asked = "Can fixed weights raise the maximum likelihood of the codes that are fitted?"
        case.fact(asked, gain, "above 0", gain > 0, "nats", "the maximum over a part is at most that over all", theorem=True)
        held_out, error = number(fit, "test_difference_nats"), Z * number(fit, "test_difference_standard_error")
        asked = "By how much are held-out codes likelier under equal weights?"
        case.level(asked, held_out, "above", (0, 0), "nats", f"{fit['n_images']:,} codes", error)
        for name in ("estimated", "equal"):
            case.number(name, number(rows[name], "test_log_likelihood_nats"), "nats", f"held-out log-likelihood, {name} weights")
        case.number("gain", held_out, "nats", "equal minus estimated")


@check("lab1-7", gives="gaussian share kl_gaussian kl_bernoulli")
def blur_of_the_squared_error(case: Case) -> None:
    """The squared error against the cross-entropy, and what blur is left without it."""
    with case.part("goes with it"):
        read = measure(case.results, "laplacian_variance")
        case.paired("Are the means less sharp with the squared error than with the cross-entropy?", read(GAUSSIAN), "below", read(VAE))
    with case.part("is its cause"):
        real = measure(case.results, "laplacian_variance", "test images")
        shares = {name: {seed: 100 * sharp / real(name)[seed] for seed, sharp in read(name).items()} for name in (VAE, GAUSSIAN)}
        case.level("How sharp are the means of the VAE without a squared error, over real images?", shares[VAE], "above", (80, 95), "%")
        case.number("share", shares[VAE], "%", "sharpness over real images', cross-entropy")
        case.number("gaussian", shares[GAUSSIAN], "%", "sharpness over real images', squared error")
        for name, variant, of in (("kl_gaussian", GAUSSIAN, "squared error"), ("kl_bernoulli", VAE, "cross-entropy")):
            case.number(name, value(case.results, "kl_nats")(variant), "nats", f"KL, {of}")
