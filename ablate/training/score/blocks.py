"""What each stretch of the split's time adds to a session's mean score: the material of "other minutes".

The split's windows, in the order of their time, are cut into `BLOCKS` blocks. With G_ub the gain and N_ub the spikes of
unit u in block b, v_u = sum_b G_ub / sum_b N_ub, the session's mean over other minutes (block b drawn m_b times) is

    mean_u [ sum_b m_b G_ub / sum_b m_b N_ub ]  =  mean_u v_u + sum_b m_b D_b + second order in m_b - 1
    D_b = mean_u [ (G_ub - v_u N_ub) / sum_b N_ub ]                                            sum_b D_b = 0

so that one number a block is all that a block bootstrap needs to first order (Efron & Tibshirani 1993, chapter 22),
and `units.json` stays small.
"""

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from ablate.contract import Target

BLOCKS = 20


class TimeSums:
    """Rows (newest bin, gain of each unit, spikes of each unit) of each session."""

    def __init__(self, sessions: int):
        self.rows: list[list[tuple[Tensor, Tensor]]] = [[] for _ in range(sessions)]

    def add(self, target: Target, gain: Float[Tensor, "b n u"], counts: Float[Tensor, "b n u"]) -> None:
        if target.newest is not None:
            self.rows[target.session].append((target.newest, torch.stack([gain.sum(1), counts.sum(1)])))

    def merge(self, other: "TimeSums") -> None:
        for mine, theirs in zip(self.rows, other.rows, strict=True):
            mine.extend(theirs)

    def deviations(
        self,
        session: int,
        gain: NDArray[np.float64],
        spikes: NDArray[np.float64],
        excluded: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """D_b of a session, in nats a spike; empty where no row has a time or no unit is scored.

        gain, spikes, excluded: of each unit over the whole split.
        """
        if not self.rows[session] or excluded.all():
            return np.zeros(0)
        newest = torch.cat([bins for bins, _ in self.rows[session]]).cpu().numpy()
        sums = torch.cat([part for _, part in self.rows[session]], dim=1).cpu().numpy()[..., ~excluded]  # 2 row u
        parts = np.array_split(np.argsort(newest, kind="stable"), min(BLOCKS, len(newest)))
        block_gain, block_spikes = np.stack([sums[:, part].sum(axis=1) for part in parts], axis=1)  # block u
        total = spikes[~excluded]
        return np.asarray(((block_gain - gain[~excluded] / total * block_spikes) / total).mean(axis=1))
