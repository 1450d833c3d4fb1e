"""A margin that a schedule may set while a head learns."""

import torch
from torch import Tensor, nn

from voxsphere.losses.head import check_margin


class ScheduledMargin(nn.Module):
    """A margin from 0 to as much as the head says, in a buffer, and so in the checkpoint."""

    margin: Tensor

    def _begin_with(self, margin: float, *, most: float) -> None:
        self.register_buffer("margin", torch.tensor(float(margin)))
        self._most = most
        self.set_margin(margin)

    def set_margin(self, value: float) -> None:
        """Ask for another margin from now on."""
        self.margin.fill_(check_margin(value, self._most))
