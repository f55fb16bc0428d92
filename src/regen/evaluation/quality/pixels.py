"""What the pixels of images show without any network: sharpness, and the pattern that upsampling leaves."""

import torch
from torch.nn.functional import conv2d

__all__ = ["laplacian_variance", "period_two_energy"]

LAPLACIAN = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])

BLOCK = 1000


def laplacian_variance(images: torch.Tensor) -> float:
    """Return the variance of the Laplacian within an image, in squared units of [0, 1], its mean over images uint8 (N, C, H, W).

    Larger is sharper. Channels are averaged first; the border has no Laplacian.
    """
    kernel = LAPLACIAN.to(images.device)[None, None]
    total = 0.0
    for block in images.split(BLOCK):
        edges = conv2d((block.float() / 255).mean(1, keepdim=True), kernel)
        total += edges.flatten(1).var(1, correction=0).sum(dtype=torch.float64).item()
    return total / len(images)


def period_two_energy(images: torch.Tensor) -> float | None:
    """Return the mean power of images uint8 (N, C, H, W) at the frequencies 1/2 along rows or columns; None for odd sizes.

    A decoder whose last step has stride 2 leaves its pattern there. Channels are averaged first; the power is that of the orthonormal
    Fourier transform, in squared units of [0, 1].
    """
    height, width = images.shape[-2:]
    if height % 2 or width % 2:
        return None
    total = 0.0
    for block in images.split(BLOCK):
        power = torch.fft.fft2((block.float() / 255).mean(1), norm="ortho").abs().square()
        rows, columns = power[:, height // 2, :].sum(1), power[:, :, width // 2].sum(1)
        # The corner lies in both.
        total += (rows + columns - power[:, height // 2, width // 2]).sum(dtype=torch.float64).item()
    return total / len(images)
