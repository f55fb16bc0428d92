"""How many decoder outputs fit into a share of the memory."""

import torch

from regen.models.vae import LatentVariableModel

__all__ = ["BLOCK", "DECODES", "decodes_at_once"]

BLOCK = 500
"""Decodes, or images, whose noise is drawn together: another number draws other noise."""

DECODES = 250
"""Most decoder outputs held at once: more leave the processor's cache, fewer take longer to start."""

TEMPORARIES = 6
"""Tensors of an image's size that a likelihood may hold beside the decoder's output."""


@torch.no_grad()
def decodes_at_once(model: LatentVariableModel, memory_mb: int, images: int = 1, most: int = DECODES) -> int:
    """Return how many latents to decode at once, so that their tensors take at most `memory_mb` MB (1 MB = 1e6 bytes): 1 to `most`.

    What a decode takes is counted on one: the outputs of all layers, as if none was freed, and what its likelihood takes for each of
    `images`.
    """
    taken: list[int] = []

    def count(module: torch.nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, torch.Tensor):
            taken.append(output.nbytes)

    hooks = [module.register_forward_hook(count) for module in model.decoder.modules()]
    mean = model.decoder(model.latents(1)).mean
    for hook in hooks:
        hook.remove()
    fitting: int = 1_000_000 * memory_mb // (sum(taken) + TEMPORARIES * images * mean.nbytes)
    return max(1, min(most, fitting))
