"""What was trained, for use from Python: `regen.load(variant)`. Described in docs/interface.md."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch

import regen
from regen.common.determinism import make_deterministic
from regen.common.errors import UserError
from regen.common.presets import command_of
from regen.config.features import QualityConfig
from regen.config.variant import EvaluateConfig
from regen.data.own import LEAST, SUFFIXES, visible
from regen.data.pictures import DAMAGE, pixels
from regen.evaluation.held_out.exact import exact_nll, nodes
from regen.evaluation.held_out.importance_sampling import importance_sampled_nll, read_weights
from regen.evaluation.held_out.memory import BLOCK
from regen.evaluation.quality.distances import density_and_coverage, precision_and_recall, shuffled
from regen.evaluation.quality.features import FeatureSpace, comparable
from regen.evaluation.quality.measures import TREND, Reference, measures
from regen.evaluation.quality.paths import linear, spherical
from regen.evaluation.restore import restore
from regen.images.batches import to_levels, to_unit_interval
from regen.images.images import Images
from regen.images.prepare import prepare
from regen.models.autoencoder import AutoEncoder
from regen.models.dequantisation import NoDequantisation
from regen.models.likelihoods import NllKind, nll_constant_nats, nll_kind
from regen.models.pixel_flow import PixelFlow
from regen.models.vae import LatentVariableModel
from regen.params.configured import configured
from regen.params.schema import ReportConfig
from regen.results import Results

__all__ = ["LogLikelihood", "Trained", "load"]

ROOT = Path(regen.__file__).resolve().parents[2]
"""The repository that this code lies in."""


@dataclass(frozen=True)
class LogLikelihood:
    """log p(x) of images in nats, each (N,) in double precision.

    log_p: by importance sampling, of latents or of a flow's dequantisations; a lower bound in expectation.
    effective_sample_size: of the importance weights, 1 to K; None for a flow without dequantisation.
    exact: the sum over all latents, where there are few enough, or the density of a flow without dequantisation; else None.
    kind: `probability`, `density` (per 8-bit level, as in metrics.json) or `unnormalised` (grey images under a Bernoulli likelihood).
    """

    log_p: torch.Tensor
    effective_sample_size: torch.Tensor | None
    exact: torch.Tensor | None
    kind: NllKind


@dataclass(frozen=True)
class Trained:
    """A trained model. Images go in as uint8 (N, C, H, W), as the data set has them, and come out as floats in [0, 1].

    config: every setting, as the evaluation saw it. history: one row an epoch. metrics, quality: the numbers of metrics.json and
    quality.json, whose names docs/metrics.md defines; empty where they were not made.
    """

    preset: str
    seed: int
    config: EvaluateConfig
    model: Any
    history: pd.DataFrame
    metrics: dict[str, Any]
    quality: dict[str, Any]
    root: Path

    @property
    def variant(self) -> str:
        """The variant's name."""
        return self.config.variant

    @torch.no_grad()
    def samples(self, count: int, seed: int = 0) -> torch.Tensor:
        """Return generated images (count, C, H, W): the decoder's means where there is one."""
        return torch.cat([self.model.images(z) for z in self._latents(count, seed).split(BLOCK)])

    @torch.no_grad()
    def interpolation(self, steps: int = 10, seed: int = 0, path: Literal["linear", "spherical"] = "spherical") -> torch.Tensor:
        """Return the images (steps, C, H, W) on a path between two draws of the prior."""
        start, end = self._latents(2, seed).split(1)
        points = {"linear": linear, "spherical": spherical}[path](start, end, torch.linspace(0, 1, steps))
        images: torch.Tensor = self.model.images(points[:, 0])
        return images

    @torch.no_grad()
    def reconstructions(self, images: Any) -> torch.Tensor:
        """Return the decoder's means (N, C, H, W) at the mean of q(z | x).

        Raises
        ------
        UserError
            If the model has no encoder, or the images do not fit.
        """
        x = to_unit_interval(self.prepared(images))
        if isinstance(self.model, LatentVariableModel):
            return torch.cat([self.model.images(self.model.encoder(block).mean) for block in x.split(BLOCK)])
        if isinstance(self.model, AutoEncoder):
            return torch.cat([self.model.images(self.model.encoder(block)) for block in x.split(BLOCK)])
        raise self._cannot("reconstruct", "vae, autoencoder")

    @torch.no_grad()
    def log_likelihood(self, images: Any, samples: int = 500, seed: int = 0) -> LogLikelihood:
        """Return log p(x) of one's own images, uint8 (N, C, H, W), with `samples` importance samples each.

        Raises
        ------
        UserError
            If the model has no likelihood, or the images do not fit.
        """
        x, settings = self.prepared(images), self.config
        with _seeded(seed):
            if isinstance(self.model, PixelFlow):
                return self._flow_likelihood(x, samples)
            if not isinstance(self.model, LatentVariableModel):
                raise self._cannot("give a likelihood", "vae, flow")
            likelihood: Any = settings.model.likelihood  # type: ignore[union-attr]
            kind = nll_kind(likelihood, settings.values)
            constant = nll_constant_nats(kind, prod(settings.shape))
            sampled = importance_sampled_nll(self.model, x, [samples], settings.memory_mb)[samples]
        # A dequantised density is itself an estimate.
        at = None if getattr(likelihood, "dequantised", False) else nodes(self.model, settings.checks.sum_over)
        exact = None if at is None else -exact_nll(self.model, x, at, settings.memory_mb).nll_nats - constant
        return LogLikelihood(-sampled.nll_nats - constant, sampled.ess, exact, kind)

    def _flow_likelihood(self, x: torch.Tensor, samples: int) -> LogLikelihood:
        def log_w() -> torch.Tensor:
            return torch.cat([-self.model.nll_nats(to_unit_interval(block)) for block in x.split(BLOCK)]).double()

        if isinstance(self.model.dequantisation, NoDequantisation):
            density = log_w()
            return LogLikelihood(density, None, density, "density")
        found = read_weights(torch.stack([log_w() for _ in range(samples)]), [samples])[samples]
        return LogLikelihood(-found.nll_nats, found.ess, None, "probability")

    def quality_against(self, folder: Path | str, count: int | None = None, seed: int = 0) -> dict[str, Any]:
        """Return what `count` samples (default: as many as there are images) are worth against a folder of images.

        They are compared in the features of the data set's network, by the measures of docs/metrics.md. The images are brought to the
        data set's size and depth of colour.

        Raises
        ------
        UserError
            If the model does not sample, the network was not made, or there are fewer than 20 images or one that cannot be read.
        """
        settings = configured(QualityConfig, self.root, self.preset, f"{self.variant}.quality.json")
        network = Path("features", self.preset, settings.dataset, "network.safetensors")
        if not (self.root / network).exists():
            raise UserError(
                f"{network}: expected the network in whose features samples are compared, got nothing there; {_advice(self.preset)}"
            )
        space = FeatureSpace.read(self.root / network, torch.device("cpu"))
        real = torch.stack([_picture(path, space.shape) for path in _pictures(Path(folder))])
        generated = to_levels(comparable(to_levels(self.samples(count or len(real), seed)), space.shape))
        found, _ = measures(generated, Reference(space, real, real, seed=seed), TREND)
        features, of_real = space.features(generated), space.features(real)
        few = min(len(features), len(of_real))
        chosen = shuffled(of_real, few, seed), shuffled(features, few, seed + 1)
        precision, recall = precision_and_recall(*chosen)
        density, coverage = density_and_coverage(*chosen)
        neighbours = {"precision": precision, "recall": recall, "density": density, "coverage": coverage}
        return {"n_images": len(real), "n_samples": len(generated), **found, **neighbours}

    def prepared(self, images: Any) -> torch.Tensor:
        """Return images as the variant saw its own test images: resized, binarised, repeated in channels; uint8 (N, C, H, W).

        Raises
        ------
        UserError
            If they are no uint8 images of the model's shape, or grey where the model knows two values.
        """
        pixels, shape = torch.as_tensor(images), self.config.shape
        if pixels.dtype != torch.uint8 or pixels.ndim != 4 or not len(pixels):
            raise UserError(f"{self.variant}: expected images uint8 (N, C, H, W), got {pixels.dtype} {list(pixels.shape)}")
        settings = self.config.images
        if list(pixels.shape[1:]) == shape:
            settings = settings.model_copy(update={"size": None, "channels": None})
        pixels = prepare(Images(pixels, torch.zeros(len(pixels), 0)), settings, "test").images
        if list(pixels.shape[1:]) != shape:
            raise UserError(f"{self.variant}: expected images of shape {shape}, got {list(torch.as_tensor(images).shape[1:])}; resize them")
        if self.config.values == "binary" and ((pixels > 0) & (pixels < 255)).any():
            raise UserError(f"{self.variant}: expected the values 0 and 255, for the model is of binary images, got others; binarise them")
        return pixels

    def _latents(self, count: int, seed: int) -> torch.Tensor:
        if not hasattr(self.model, "latents"):
            raise self._cannot("sample", "vae, flow, autoencoder, gan")
        with _seeded(seed):
            z: torch.Tensor = self.model.latents(count)
        return z

    def _cannot(self, what: str, families: str) -> UserError:
        return UserError(f"{self.variant}: expected a model that can {what} (family {families}), got family {self.config.model.family}")


def load(variant: str, preset: str = "quick", seed: int | None = None, root: Path | str | None = None) -> Trained:
    """Return a trained variant of a preset, by default of its first seed; sets torch to one thread and deterministic algorithms.

    root: the repository's, by default the one that this code lies in.

    Raises
    ------
    UserError
        If the variant, the preset or the seed is unknown, or there are no weights: then it says how to get them.
    """
    place = ROOT if root is None else Path(root).resolve()
    config = configured(ReportConfig, place, preset, "report.json")
    if variant not in config.variants:
        near = get_close_matches(variant, config.variants, 3, 0.4) or list(config.variants)[:3]
        raise UserError(f"variant = '{variant}': unknown variant; near it: {', '.join(near)}; params.yaml has all")
    seeds = config.variants[variant].seeds
    chosen = seeds[0] if seed is None else seed
    if chosen not in seeds:
        raise UserError(f"{variant}: seed = {chosen}: allowed in preset {preset}: {', '.join(map(str, seeds))}")
    weights = Path("models", preset, variant, str(chosen), "final.safetensors")
    if not (place / weights).exists():
        raise UserError(f"{weights}: expected trained weights, got nothing there; {_advice(preset)}")
    settings = configured(EvaluateConfig, place, preset, f"{variant}.evaluate.json")
    make_deterministic(settings.threads)
    # A new model draws its first weights, which are then replaced: not from the caller's stream.
    with _seeded(0):
        model, _ = restore(settings.model, settings.shape, place / weights)
    results = Results(config, place)
    return Trained(
        preset=preset,
        seed=chosen,
        config=settings,
        model=model,
        history=results.histories(variant).get(chosen, pd.DataFrame()),
        metrics=results.metrics(variant).get(chosen, {}),
        quality=results.quality(variant).get(chosen, {}),
        root=place,
    )


def _advice(preset: str) -> str:
    """Say how one gets what was trained."""
    return f"'{command_of(preset)}' makes it, 'dvc pull' brings it from a remote, or unpack an archive of weights here (docs/dvc.md)"


def _pictures(folder: Path) -> Sequence[Path]:
    paths = [path for path in visible(folder) if path.suffix.lower() in SUFFIXES]
    if len(paths) < LEAST["test"]:
        raise UserError(f"{folder}: expected at least {LEAST['test']} images ({', '.join(SUFFIXES)}), got {len(paths)}")
    return paths


def _picture(path: Path, shape: list[int]) -> torch.Tensor:
    """Return a picture as uint8 (C, H, W), upright, in the colours and the size of `shape`."""
    try:
        image = torch.from_numpy(np.array(pixels(path.read_bytes(), shape[0])))
    except DAMAGE as error:
        raise UserError(f"{path}: expected a PNG or JPEG image, got '{error}'; mend or remove it") from error
    return to_levels(comparable(image.reshape(1, *image.shape[:2], -1).permute(0, 3, 1, 2), shape))[0]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Draw from a seed of its own, and leave the caller's stream as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
