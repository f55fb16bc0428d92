"""Adam by torch's own fused kernel, without the bookkeeping around it."""

from collections.abc import Iterable, Mapping

import torch
from torch import nn

__all__ = ["Adam"]


class Adam:
    """Adam (Kingma and Ba, 2015, arXiv:1412.6980, algorithm 1), with the bits of `torch.optim.Adam(fused=True)`.

    What `torch.optim` does around the kernel takes as long as a tenth of a small network's step, and its first step imports torch's
    compiler, which takes a second.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float, betas: tuple[float, float], epsilon: float) -> None:
        self.parameters = list(parameters)
        self.learning_rate, self.betas, self.epsilon = learning_rate, betas, epsilon
        self.means = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in self.parameters]
        # One count for all parameters, each of which has a gradient at every step.
        self.count = torch.zeros((), device=self.parameters[0].device)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Change the parameters by their gradients."""
        gradients = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        first, second = self.betas
        with torch.no_grad():
            self.count += 1
            torch._fused_adam_(
                self.parameters,  # type: ignore[arg-type]
                gradients,
                self.means,
                self.squares,
                [],
                [self.count] * len(gradients),
                lr=self.learning_rate,
                beta1=first,
                beta2=second,
                weight_decay=0.0,
                eps=self.epsilon,
                amsgrad=False,
                maximize=False,
            )

    def state(self) -> dict[str, torch.Tensor]:
        """Return what a later step depends on beside the parameters: their moments and the number of steps."""
        moments = {"mean": self.means, "square": self.squares}
        return {"count": self.count} | {f"{name}.{index}": one for name, all_ in moments.items() for index, one in enumerate(all_)}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over a `state` of the same parameters."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])
