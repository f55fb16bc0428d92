"""A trained variant as a probe sees it."""

from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from regen.common.determinism import derive_seed
from regen.common.errors import UserError
from regen.config.probes import ProbedVariant
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.measures import Reference
from regen.evaluation.restore import restore, snapshots
from regen.images.batches import images_of
from regen.images.images import Images
from regen.images.prepare import judged_images, prepare

__all__ = ["Subject"]


class Subject:
    """Weights of the first seed, images and feature space of a variant, each read when it is asked for."""

    def __init__(self, config: ProbedVariant, preset: str, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.weights = Path("models", preset, config.variant, str(config.first_seed))
        self.data = Path("data", preset, config.dataset)
        self.network = Path("features", preset, config.dataset, "network.safetensors")

    @cached_property
    def model(self) -> Any:
        """The model at the end of training, in evaluation mode."""
        return self._restored(self.weights / "final.safetensors")[0]

    @cached_property
    def snapshots(self) -> list[tuple[Any, dict[str, Any]]]:
        """The model at its snapshots and their notes, in the order of training."""
        return [self._restored(path) for path in snapshots(self.weights)]

    @property
    def untrained(self) -> Any:
        """The model before training.

        Raises
        ------
        UserError
            If no snapshot was taken there.
        """
        for model, note in self.snapshots:
            if note["step"] == 0:
                return model
        problem = "expected a snapshot before training, got none"
        raise UserError(f"{self.weights}: {problem}; put 0 into training.snapshot_epochs of {self.config.variant} in params.yaml")

    def prepared(self, split: str) -> Images:
        """Return the images of a split as the variant sees them, uint8 (N, C, H, W)."""
        return prepare(images_of(self.data, split), self.config.images, split).to(self.device)

    @cached_property
    def reference(self) -> Reference:
        """What sample quality holds the variant's samples against."""
        images = {name: values.images.to(self.device) for name, values in judged_images(self.config, self.data).items()}
        test, prepared = (images[name][: self.config.n_samples] for name in ("test", "prepared"))
        # As sample quality makes it.
        order = derive_seed(self.config.seed, self.config.first_seed, self.config.variant, "reference")
        return Reference(FeatureSpace.read(self.network, self.device), images["train"], test, prepared, order)

    def _restored(self, path: Path) -> tuple[Any, dict[str, Any]]:
        model, note = restore(self.config.model, self.config.shape, path)
        return model.to(self.device), note
