"""The whole of params.yaml, and what of it the data, the figures, the report and the tracking see."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from regen.config.base import Config, Name, Positive
from regen.config.features import FeatureNetwork
from regen.config.model import Model
from regen.config.training import Preparation, Training, Values
from regen.config.variant import Check, Checks, Compute, DataSource, LikelihoodProtocol, check_combination, check_encoder, check_images
from regen.params.figures import ReportFigure, check_figures
from regen.params.probes import Probes

__all__ = [
    "DataConfig",
    "Dataset",
    "MaxImages",
    "Params",
    "Preset",
    "PresetFile",
    "ReportConfig",
    "ReportedVariant",
    "Source",
    "SourceConfig",
    "SourceReport",
    "Split",
    "Variant",
]

Checksum = Annotated[str, Field(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")]


class Source(Config):
    """Where a data set's raw files come from; no files means that they are generated."""

    status: DataSource
    files: dict[str, Checksum]


class Split(Config):
    """Numbers of images of the reports' own split of the full data set."""

    train: Positive
    validation: Positive
    test: Positive

    def trained(self, training: Training) -> int:
        """Return the number of images that a variant trains on."""
        return self.train + (self.validation if training.held_out == "test" else 0)


class Dataset(Config):
    """A data set: image shape (C, H, W), values, classes (if it has labels), and the sizes of its full splits."""

    shape: Annotated[list[Positive], Field(min_length=3, max_length=3)]
    values: Values
    classes: Positive | None
    split: Split
    sources: dict[Name, Source]


class MaxImages(Split):
    """Upper limits that a preset sets on each split; an interval needs two test images at least."""

    test: Annotated[int, Field(ge=2)]


class Preset(Config):
    """A lens over the variants: sources and limits, never hyper-parameters.

    A data set without `max_images` is used in full, one without `max_steps` trained in full.
    `samples` is the number of images by which sample quality is measured: ten blocks of two at least.
    """

    sources: dict[Name, Name]
    max_images: dict[Name, MaxImages]
    max_steps: dict[Name, Positive]
    samples: dict[Name, Annotated[int, Field(ge=20)]]
    likelihood: dict[Name, Annotated[list[LikelihoodProtocol], Field(min_length=1)]]
    checks: Checks


class Variant(Config):
    """One model of one report; `assumed` lists the keys whose values the report leaves open.

    `checks`: second estimates of its likelihood that are too slow for every variant.
    """

    report: Name
    title: str
    assumed: list[str]
    images: Preparation = Preparation()
    model: Model
    training: Training
    checks: list[Check] = []

    @model_validator(mode="after")
    def _choices_go_together(self) -> Self:
        if self.model.family == "regressor":
            raise ValueError("model.family = 'regressor': allowed under 'features' only")
        check_combination(self.model, self.training)
        if self.checks and self.model.family != "vae":
            raise ValueError(f"checks = {self.checks}: allowed with family '{self.model.family}': none, it has no latents to sum over")
        return self

    @model_validator(mode="after")
    def _assumed_exist(self) -> Self:
        for key in self.assumed:
            value: Any = self.model_dump()
            for part in key.split("."):
                if not isinstance(value, dict) or part not in value:
                    raise ValueError(f"allowed: 'assumed' names keys of the variant such as 'training.batch_size', not '{key}'")
                value = value[part]
        return self


class PresetFile(Config):
    """preset.yaml: which preset a pipeline runs, where the repository's root and this file lie, and the seeds a data set."""

    preset: Name
    root: str
    file: str
    seeds: dict[Name, Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]]


class SourceReport(Config):
    """Bibliography of a source report, and what is shown of it in which order.

    `notes` say what is assumed beyond the settings of a variant.
    """

    title: str
    author: str
    year: int | None
    about: str
    notes: list[str]
    figures: list[ReportFigure] = []


class Params(Config):
    """The whole of params.yaml."""

    seed: Annotated[int, Field(ge=0)]
    memory_mb: Positive
    compute: Compute
    presets: dict[Name, Preset]
    datasets: dict[Name, Dataset]
    features: dict[Name, FeatureNetwork]
    reports: dict[Name, SourceReport]
    variants: dict[Name, dict[Name, Variant]]
    probes: Probes = Probes()

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        for group, variants in self.variants.items():
            if group not in self.datasets:
                raise ValueError(f"variants.{group}: unknown data set '{group}'; allowed: {', '.join(self.datasets)}")
            for name, variant in variants.items():
                self._check_variant(f"variants.{group}.{name}", variant, self.datasets[group])
        drawn = {
            name: (variant.model, variant.images.shape(self.datasets[group].shape)[0])
            for group, variants in self.variants.items()
            for name, variant in variants.items()
        }
        check_figures({name: report.figures for name, report in self.reports.items()}, drawn)
        for name in self.datasets:
            if name not in self.features:
                raise ValueError(f"features.{name}: missing; allowed: labels, network, dropout, schedule")
        for name, features in self.features.items():
            self._check_features(name, features)
        for name, preset in self.presets.items():
            self._check_preset(name, preset)
        self.probes.check(list(drawn), self.presets)
        return self

    def _check_variant(self, where: str, variant: Variant, data: Dataset) -> None:
        if variant.report not in self.reports:
            raise ValueError(f"{where}.report: unknown report '{variant.report}'; allowed: {', '.join(self.reports)}")
        try:
            if variant.images.channels is not None and data.shape[0] != 1:
                raise ValueError(f"images.channels = {variant.images.channels}: allowed on images of {data.shape[0]} channels: null")
            steps = variant.training.steps(data.split.trained(variant.training))
            if max(variant.training.snapshot_steps, default=0) > steps:
                asked = f"training.snapshot_steps = {variant.training.snapshot_steps}"
                raise ValueError(f"{asked}: allowed: no more than the run's {steps} steps")
            check_images(variant.model, variant.training, variant.images, variant.images.shape(data.shape), data.values, data.classes)
        except ValueError as error:
            raise ValueError(f"{where}.{error}") from None

    def _check_features(self, name: str, features: FeatureNetwork) -> None:
        if name not in self.datasets or features.labels not in self.datasets:
            allowed = ", ".join(self.datasets)
            raise ValueError(f"features.{name}: unknown data set in '{name}' or labels '{features.labels}'; allowed: {allowed}")
        if features.images.size is not None or features.images.channels is not None:
            raise ValueError(f"features.{name}.images: allowed: binarisation alone")
        shape = self.datasets[name].shape
        if self.datasets[features.labels].shape != shape:
            raise ValueError(f"features.{name}.labels = '{features.labels}': allowed: a data set of shape {shape}")
        try:
            check_encoder(features.network, shape, "network")
        except ValueError as error:
            raise ValueError(f"features.{name}.{error}") from None

    def _check_preset(self, name: str, preset: Preset) -> None:
        for dataset, settings in self.datasets.items():
            source, allowed = preset.sources.get(dataset), list(settings.sources)
            if source not in allowed:
                raise ValueError(f"presets.{name}.sources.{dataset}: unknown source '{source}'; allowed: {', '.join(allowed)}")
            if dataset not in preset.likelihood:
                raise ValueError(f"presets.{name}.likelihood.{dataset}: missing; allowed: a list of importance_samples and n_images")
            if dataset not in preset.samples:
                raise ValueError(f"presets.{name}.samples.{dataset}: missing; allowed: a whole number from 20")
        named = {*preset.sources, *preset.max_images, *preset.likelihood, *preset.max_steps, *preset.samples}
        if unknown := sorted(named - set(self.datasets)):
            raise ValueError(f"presets.{name}: unknown data set '{unknown[0]}'; allowed: {', '.join(self.datasets)}")


class SourceConfig(Config):
    """Resolved for `fetch`: the raw files of one data set."""

    dataset: Name
    source: Name
    status: DataSource
    files: dict[str, Checksum]


class DataConfig(SourceConfig):
    """Resolved for `split`: one data set from one source; `preparations` are those that its variants make of the images."""

    shape: list[Positive]
    values: Values
    split: Split
    max_images: MaxImages | None
    preparations: list[Preparation]
    seed: int


class ReportedVariant(Config):
    """What figures, report and tracking know of a variant."""

    report: Name
    dataset: Name
    data_source: DataSource
    seeds: list[int]
    title: str
    assumed: list[str]
    shape: list[Positive]
    images: Preparation
    model: Model
    training: Training
    max_steps: Positive | None
    likelihood: list[LikelihoodProtocol]


class ReportConfig(Config):
    """Resolved for `figures`, `report` and `track`: everything that a preset shows."""

    preset: Name
    threads: Positive
    reports: dict[Name, SourceReport]
    variants: dict[Name, ReportedVariant]
