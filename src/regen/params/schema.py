"""The whole of params.yaml and studies/*/study.yaml, and what of it the data, the figures, the report and the tracking see."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from regen.config.base import Config, Name, Positive
from regen.config.features import FeatureNetwork
from regen.config.model import Model
from regen.config.training import Preparation, Training, Values
from regen.config.variant import Check, Checks, Compute, DataSource, LikelihoodProtocol, check_combination, check_encoder, check_images
from regen.params.figures import ASKED_FOR, PictureKind, ReportFigure, check_figures, possible
from regen.params.probes import Probes

__all__ = [
    "OWN",
    "PUBLISHED",
    "DataConfig",
    "Dataset",
    "Fit",
    "Kind",
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


PUBLISHED = ("mnist", "binarized_mnist", "svhn", "celeba")
"""Kinds of data sets that have a publisher, a stand-in and a title."""

OWN = ("pictures", "idx", "mat", "npz")
"""Kinds of a user's own files: PNG and JPEG images, MNIST's and SVHN's formats, numpy arrays."""

Kind = Literal["mnist", "binarized_mnist", "svhn", "celeba", "pictures", "idx", "mat", "npz"]

Fit = Literal["exact", "crop", "squash"]
"""What becomes of pictures of another size: refused; the largest centred part of the right proportions, resized; all of it, resized."""

DEFAULT = "default"
"""The entry of a preset's table, and of `features`, for the data sets that it does not name."""

Entry = TypeVar("Entry")


def _of(table: Mapping[str, Entry], dataset: str) -> Entry | None:
    """Return a data set's own entry, or the default one; None where there is neither."""
    return table.get(dataset, table.get(DEFAULT))


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
    """A data set: image shape (C, H, W), values, classes (if it has labels), and the sizes of its full splits.

    `kind` says how its files are read, where they are published and what stands in for them; by default it is the data set's own name.
    """

    kind: Kind | None = None
    shape: Annotated[list[Positive], Field(min_length=3, max_length=3)]
    values: Values
    classes: Positive | None
    fit: Fit = "exact"
    split: Split
    sources: dict[Name, Source]


class MaxImages(Split):
    """Upper limits that a preset sets on each split; an interval needs two test images at least."""

    test: Annotated[int, Field(ge=2)]


class Preset(Config):
    """A lens over the variants: sources and limits, never hyper-parameters.

    Every table has an entry a data set, and may have one, `default`, for those that it does not name. A data set without `max_images` is
    used in full, one without `max_steps` trained in full. In `max_steps` a variant may have an entry of its own; null: in full. `samples`
    is the number of images by which sample quality is measured: ten blocks of two at least.
    """

    sources: dict[Name, Name]
    max_images: dict[Name, MaxImages]
    max_steps: dict[Name, Positive | None]
    samples: dict[Name, Annotated[int, Field(ge=20)]]
    likelihood: dict[Name, Annotated[list[LikelihoodProtocol], Field(min_length=1)]]
    checks: Checks

    def source(self, dataset: str, sources: Mapping[str, Source]) -> str | None:
        """Return the name of a data set's source: the one named here, the default if it has it, or its only one that is no stand-in."""
        if dataset in self.sources:
            return self.sources[dataset]
        if (usual := self.sources.get(DEFAULT)) in sources:
            return usual
        real = [name for name, source in sources.items() if source.status != "stand-in"]
        return real[0] if len(real) == 1 else None

    def images_of(self, dataset: str) -> "MaxImages | None":
        """Return the upper limits on a data set's splits."""
        return _of(self.max_images, dataset)

    def steps_of(self, dataset: str, variant: str | None = None) -> int | None:
        """Return the most optimiser steps of a training, the variant's own entry or else its data set's; None: no limit."""
        return self.max_steps[variant] if variant in self.max_steps else _of(self.max_steps, dataset)

    def samples_of(self, dataset: str) -> int:
        """Return the number of samples that a variant of a data set is judged by."""
        count = _of(self.samples, dataset)
        assert count is not None
        return count

    def likelihood_of(self, dataset: str) -> list[LikelihoodProtocol]:
        """Return the likelihood protocol of a data set."""
        protocol = _of(self.likelihood, dataset)
        assert protocol is not None
        return protocol


class Variant(Config):
    """One model of one report; `assumed` lists the keys whose values the report leaves open.

    `checks`: second estimates of its likelihood that are too slow for every variant. `pictures`: those that are drawn of it beside the
    ones that figures list; null: all that its model can have but those drawn only where
    a figure lists them.
    """

    report: Name
    title: str
    assumed: list[str]
    images: Preparation = Preparation()
    model: Model
    training: Training
    checks: list[Check] = []
    pictures: list[PictureKind] | None = None

    @model_validator(mode="after")
    def _choices_go_together(self) -> Self:
        if self.model.family == "regressor":
            raise ValueError("model.family = 'regressor': allowed under 'features' only")
        check_combination(self.model, self.training)
        if self.checks and self.model.family != "vae":
            raise ValueError(f"checks = {self.checks}: allowed with family '{self.model.family}': none, it has no latents to sum over")
        if "annealed" in self.checks and getattr(getattr(self.model, "likelihood", None), "dequantised", False):
            raise ValueError(
                f"checks = {self.checks}: allowed with a dequantised likelihood: 'prior_sampling', for annealing cannot be noisy"
            )
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
    """preset.yaml: which preset a pipeline runs, where the repository's root and this file lie, and the seeds a data set.

    `seeds` may have an entry `default`, for data sets without their own.
    """

    preset: Name
    root: str
    file: str
    seeds: dict[Name, Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]]

    def seeds_key(self, dataset: str) -> str:
        """Return the key of a data set's seeds."""
        return dataset if dataset in self.seeds else DEFAULT

    def seeds_of(self, dataset: str) -> list[int]:
        """Return the seeds of a data set's variants."""
        return self.seeds[self.seeds_key(dataset)]


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
    """The whole of params.yaml, and `reports` from studies/*/study.yaml."""

    seed: Annotated[int, Field(ge=0)]
    memory_mb: Positive
    compute: Compute
    presets: dict[Name, Preset]
    datasets: dict[Name, Dataset]
    features: dict[Name, FeatureNetwork]
    reports: dict[Name, SourceReport]
    variants: dict[Name, dict[Name, Variant]]
    probes: Probes = Probes()

    def kind(self, dataset: str) -> Kind:
        """Return the kind of a data set, whose own name it is unless it says so."""
        kind: Kind = self.datasets[dataset].kind or dataset  # type: ignore[assignment]
        return kind

    def network(self, dataset: str) -> FeatureNetwork:
        """Return the feature network of a data set."""
        network = _of(self.features, dataset)
        assert network is not None
        return network

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        for name in self.datasets:
            self._check_dataset(name)
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
        if unknown := sorted(set(self.features) - {*self.datasets, DEFAULT}):
            raise ValueError(f"features.{unknown[0]}: unknown data set '{unknown[0]}'; allowed: {', '.join(self.datasets)}, {DEFAULT}")
        for name in self.datasets:
            if _of(self.features, name) is None:
                raise ValueError(f"features.{name}: missing; allowed: labels, network, dropout, schedule")
            self._check_features(name, self.network(name))
        for name, preset in self.presets.items():
            self._check_preset(name, preset)
        self.probes.check({name: model for name, (model, _) in drawn.items()}, self.presets)
        return self

    def _check_dataset(self, name: str) -> None:
        data, where = self.datasets[name], f"datasets.{name}"
        if name == DEFAULT:
            raise ValueError(f"{where}: allowed: another name, for '{DEFAULT}' stands for all data sets")
        if data.kind is None and name not in PUBLISHED:
            raise ValueError(f"{where}.kind: missing; allowed: {', '.join((*PUBLISHED, *OWN))}")
        kind = self.kind(name)
        if data.fit != "exact" and kind != "pictures":
            raise ValueError(f"{where}.fit = '{data.fit}': allowed with kind '{kind}': 'exact'")
        for key, source in data.sources.items():
            if (source.status == "own") != (kind in OWN):
                allowed = "'own'" if kind in OWN else "any but 'own'"
                raise ValueError(f"{where}.sources.{key}.status = '{source.status}': allowed with kind '{kind}': {allowed}")
            if source.status == "own" and not source.files:
                raise ValueError(f"{where}.sources.{key}.files = {{}}: allowed: names and checksums, as scripts/own.py writes them")

    def _check_variant(self, where: str, variant: Variant, data: Dataset) -> None:
        if variant.report not in self.reports:
            raise ValueError(f"{where}.report: unknown report '{variant.report}'; allowed: {', '.join(self.reports)}")
        try:
            if variant.images.channels is not None and data.shape[0] != 1:
                raise ValueError(f"images.channels = {variant.images.channels}: allowed on images of {data.shape[0]} channels: null")
            if variant.images.luminance and data.shape[0] != 3:
                raise ValueError(f"images.luminance = true: allowed on images of {data.shape[0]} channels: false")
            steps = variant.training.steps(data.split.trained(variant.training))
            if max(variant.training.snapshot_steps, default=0) > steps:
                asked = f"training.snapshot_steps = {variant.training.snapshot_steps}"
                raise ValueError(f"{asked}: allowed: no more than the run's {steps} steps")
            shape = variant.images.shape(data.shape)
            check_images(variant.model, variant.training, variant.images, shape, data.values, data.classes)
            can = [kind for kind in possible(variant.model, shape[0]) if kind not in ASKED_FOR]
            if unknown := [kind for kind in variant.pictures or () if kind not in can]:
                raise ValueError(f"pictures = {unknown}: allowed: {', '.join(can) or 'none of a classifier'}")
        except ValueError as error:
            raise ValueError(f"{where}.{error}") from None

    def _check_features(self, name: str, features: FeatureNetwork) -> None:
        labels = features.labels or name
        if labels not in self.datasets:
            raise ValueError(f"features.{name}.labels = '{labels}': unknown data set; allowed: {', '.join(self.datasets)}")
        if features.images != Preparation(binarisation=features.images.binarisation):
            raise ValueError(f"features.{name}.images: allowed: binarisation alone")
        shape = self.datasets[name].shape
        if self.datasets[labels].shape != shape:
            raise ValueError(f"features.{name}.labels = '{labels}': allowed: a data set of shape {shape}")
        try:
            check_encoder(features.network, shape, "network")
        except ValueError as error:
            raise ValueError(f"features.{name}.{error}") from None

    def _check_preset(self, name: str, preset: Preset) -> None:
        for dataset, settings in self.datasets.items():
            source, allowed = preset.source(dataset, settings.sources), ", ".join(settings.sources)
            if source is None:
                raise ValueError(f"presets.{name}.sources.{dataset}: missing; allowed: {allowed}")
            if source not in settings.sources:
                raise ValueError(f"presets.{name}.sources.{dataset}: unknown source '{source}'; allowed: {allowed}")
            if _of(preset.likelihood, dataset) is None:
                raise ValueError(f"presets.{name}.likelihood.{dataset}: missing; allowed: a list of importance_samples and n_images")
            if _of(preset.samples, dataset) is None:
                raise ValueError(f"presets.{name}.samples.{dataset}: missing; allowed: a whole number from 20")
        named = {*preset.sources, *preset.max_images, *preset.likelihood, *preset.samples}
        if unknown := sorted(named - {*self.datasets, DEFAULT}):
            raise ValueError(f"presets.{name}: unknown data set '{unknown[0]}'; allowed: {', '.join(self.datasets)}, {DEFAULT}")
        variants = {variant for same in self.variants.values() for variant in same}
        if unknown := sorted({*preset.max_steps} - {*self.datasets, DEFAULT, *variants}):
            allowed = f"{', '.join(self.datasets)}, {DEFAULT}, and names below 'variants'"
            raise ValueError(f"presets.{name}.max_steps: unknown data set or variant '{unknown[0]}'; allowed: {allowed}")


class SourceConfig(Config):
    """Resolved for `fetch`: the raw files of one data set."""

    dataset: Name
    kind: Kind
    source: Name
    status: DataSource
    files: dict[str, Checksum]


class DataConfig(SourceConfig):
    """Resolved for `split`: one data set from one source; `preparations` are those that its variants make of the images."""

    shape: list[Positive]
    values: Values
    classes: Positive | None
    fit: Fit
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
