"""One training loop in a process of its own: `python loops.py LOOP FOLDER BATCH` prints images a second of processor time as JSON.

The caller's environment decides about the instruction set.
"""

import gzip
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torch.optim.optimizer import register_optimizer_step_post_hook

__all__ = ["LOOPS", "measure", "products"]

IMAGES, HIDDEN, LATENT, PIXELS = 55_000, 500, 20, 784
WARM = 30
"""Steps that are not counted."""


Clock = Callable[[], None]


def regen_loop(folder: Path, batch: int, step_done: Clock) -> None:
    """Train with regen's own loop and configuration, in the deterministic mode of its stages."""
    environment = dict(os.environ)
    from workspace import VARIANT

    from regen.common.determinism import make_deterministic
    from regen.config.base import load
    from regen.config.variant import TrainConfig
    from regen.images.batches import images_of
    from regen.training.adam import Adam
    from regen.training.loop import train

    # Importing regen pins the instruction set; torch has not looked yet, and the caller has decided.
    os.environ.clear()
    os.environ.update(environment)
    make_deterministic(1)
    config = load(TrainConfig, folder / f"configs/paper/{VARIANT}.train.json")
    assert (config.model.network.hidden, config.model.latent.dim) == ([HIDDEN], LATENT)
    # Of 40 epochs only four end in a snapshot: one epoch is measured without.
    config = config.model_copy(update={"training": config.training.model_copy(update={"snapshot_epochs": [], "batch_size": batch})})
    adam_step = Adam.step

    def timed_step(self: Adam) -> None:
        adam_step(self)
        step_done()

    Adam.step = timed_step  # type: ignore[method-assign]
    images = {split: images_of(folder / "data/paper/mnist", split) for split in ("train", "validation")}
    train(config, 0, images, folder / "checkpoints", torch.device("cpu"))


def pythae_loop(folder: Path, batch: int, step_done: Clock) -> None:
    """Train the same network with pythae's BaseTrainer, without an evaluation set."""
    from pythae.data.preprocessors import DataProcessor
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig
    from safetensors.torch import load_file

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.network = encoder()

        def forward(self, x: torch.Tensor) -> ModelOutput:
            mean, log_variance = self.network(x.flatten(1)).chunk(2, dim=-1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.network = decoder()

        def forward(self, z: torch.Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.network(z).view(-1, 1, 28, 28))

    images = load_file(folder / "data/paper/mnist/train.safetensors")["images"].float() / 255
    options = {"num_epochs": 1, "learning_rate": 1e-3, "per_device_train_batch_size": batch, "no_cuda": True}
    register_optimizer_step_post_hook(lambda *_: step_done())
    model = VAE(VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce"), Encoder(), Decoder())
    BaseTrainer(model, DataProcessor.to_dataset(images), training_config=BaseTrainerConfig(output_dir=str(folder), **options)).train()


def plain_loop(folder: Path, batch: int, step_done: Clock) -> None:
    """Train the same network as plainly as torch allows: uint8 images in memory, its fused Adam, no distributions, nothing recorded."""
    from safetensors.torch import load_file

    images = load_file(folder / "data/paper/mnist/train.safetensors")["images"]
    to_latent, to_image = encoder(), decoder()[:-1]
    optimizer = torch.optim.Adam([*to_latent.parameters(), *to_image.parameters()], lr=1e-3, fused=True)
    for index in torch.randperm(IMAGES).split(batch):
        x = images[index].float().div_(255).flatten(1)
        mean, log_variance = to_latent(x).chunk(2, dim=-1)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        reconstruction = functional.binary_cross_entropy_with_logits(to_image(z), x, reduction="sum")
        divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
        optimizer.zero_grad()
        ((reconstruction + divergence) / len(x)).backward()
        optimizer.step()
        step_done()


def dataloader_loop(folder: Path, batch: int, step_done: Clock) -> None:
    """Train the same network as most tutorials do: torchvision's MNIST, ToTensor, DataLoader, binary_cross_entropy, loss.item()."""
    from torch.utils.data import DataLoader, Subset
    from torchvision.datasets import MNIST
    from torchvision.transforms import ToTensor

    unpacked = folder / "torchvision/MNIST/raw"
    unpacked.mkdir(parents=True, exist_ok=True)
    for packed in (folder / "data/paper/raw/mnist").glob("*.gz"):
        (unpacked / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    images = Subset(MNIST(str(folder / "torchvision"), transform=ToTensor()), range(IMAGES))
    to_latent, to_image = encoder(), decoder()
    optimizer = torch.optim.Adam([*to_latent.parameters(), *to_image.parameters()], lr=1e-3)
    total = 0.0
    for x, _ in DataLoader(images, batch_size=batch, shuffle=True, num_workers=0):
        mean, log_variance = to_latent(x.flatten(1)).chunk(2, dim=-1)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        reconstruction = functional.binary_cross_entropy(to_image(z), x.flatten(1), reduction="sum")
        divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
        loss = (reconstruction + divergence) / len(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        step_done()


def encoder() -> nn.Sequential:
    """Return 784-500-(20 + 20)."""
    return nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENT))


def decoder() -> nn.Sequential:
    """Return 20-500-784 with probabilities."""
    return nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PIXELS), nn.Sigmoid())


Loop = Callable[[Path, int, Clock], None]

LOOPS: dict[str, Loop] = {"regen": regen_loop, "plain": plain_loop, "pythae": pythae_loop, "dataloader": dataloader_loop}


def measure(loop: Loop, folder: Path, batch: int) -> tuple[int, float, float]:
    """Return images, seconds and seconds of processor time between the optimiser's step 30 and the epoch's last."""
    times: list[tuple[float, float]] = []
    loop(folder, batch, lambda: times.append((time.perf_counter(), time.process_time())))
    assert len(times) == -(-IMAGES // batch)
    return IMAGES - WARM * batch, times[-1][0] - times[WARM - 1][0], times[-1][1] - times[WARM - 1][1]


def products(batch: int) -> tuple[int, float, float]:
    """Return the same three of the matrix products alone, forward and backward (the images need no gradient)."""
    layers = [(PIXELS, HIDDEN), (HIDDEN, 2 * LATENT), (LATENT, HIDDEN), (HIDDEN, PIXELS)]
    tensors = [(torch.randn(batch, i), torch.randn(o, i), torch.randn(batch, o)) for i, o in layers]
    outputs = [(torch.empty(batch, o), torch.empty(o, i), torch.empty(batch, i)) for i, o in layers]
    wall = busy = 0.0
    steps = 800
    for step in range(WARM + steps):
        if step == WARM:
            wall, busy = time.perf_counter(), time.process_time()
        for index, ((x, weight, gradient), (y, d_weight, d_x)) in enumerate(zip(tensors, outputs, strict=True)):
            torch.mm(x, weight.T, out=y)
            torch.mm(gradient.T, x, out=d_weight)
            if index:
                torch.mm(gradient, weight, out=d_x)
    return steps * batch, time.perf_counter() - wall, time.process_time() - busy


def main(loop: str, folder: Path, batch: int) -> None:
    torch.set_num_threads(1)
    images, wall, busy = products(batch) if loop == "products" else measure(LOOPS[loop], folder, batch)
    # One thread that waits for nothing: seconds of processor time are what the clock shows where nothing else runs.
    print(json.dumps({"rate": images / busy, "share": busy / wall, "instruction_set": torch.backends.cpu.get_cpu_capability()}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
