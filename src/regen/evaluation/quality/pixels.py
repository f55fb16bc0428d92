"""What the pixels of images show without any network: sharpness, and the patterns that upsampling leaves."""

import torch
from torch.nn.functional import conv2d

__all__ = ["blockiness", "laplacian_variance", "period_two_energy"]

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


def blockiness(images: torch.Tensor) -> float | None:
    """Return how far neighbours in images uint8 (N, C, H, W) differ more across the borders of 2x2 blocks than within blocks, 0 to 1.

    0 for ramps, noise and checkerboards, 1 for images enlarged twofold by repeating pixels. Along either axis the mean absolute difference
    is taken apart for steps from even and from odd pixels, over all images: |even - odd| / (even + odd), with sums over the axes above
    and below. So it does not matter where blocks begin. Channels are averaged first. None for constant images or fewer than 3 pixels.
    """
    if min(images.shape[-2:]) < 3:
        return None
    difference = total = 0.0
    for axis in (-2, -1):
        # Sums of channels are whole numbers, and so are all that follow: exact, and the scale cancels.
        steps = [block.sum(1, dtype=torch.int64).diff(dim=axis).abs().sum(0).sum(-3 - axis) for block in images.split(BLOCK)]
        each = torch.stack(steps).sum(0).double() / images.shape[-3 - axis]
        even, odd = each[0::2].mean().item(), each[1::2].mean().item()
        difference += abs(even - odd)
        total += even + odd
    return difference / total if total else None
