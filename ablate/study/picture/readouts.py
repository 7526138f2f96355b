"""Where each unit reads on the stimulus, and how widely.

A Gaussian readout says so itself; of a free mask the centre of mass and the spread of its absolute weights are taken.
Readouts that know no place give nothing. Places on the common grid are brought back to the session's own stimulus by
the adapter's scale.
"""

import torch
from torch import Tensor, nn

from ablate.contract import DataSpec, EncodingSpec
from ablate.model.adapter.affine import AffineAdapter
from ablate.model.encoder import Encoder
from ablate.model.readout.factorized import FactorizedReadout
from ablate.model.readout.gaussian import GaussianReadout
from ablate.result.measure.units import unit_tables
from ablate.result.picture import ReadoutPicture


def readout_pictures(model: nn.Module, spec: DataSpec, units: object) -> tuple[ReadoutPicture, ...]:
    """One for each session whose readout has places."""
    if not isinstance(model, Encoder) or not isinstance(spec, EncodingSpec):
        return ()
    found = []
    for index, readout in enumerate(model.readouts):
        places = _places(readout, model)
        if places is None:
            continue
        mean, std, angle = places
        scale = _scale(model.adapters[index]).to(mean)
        mean, std = mean * scale, std * scale
        name = spec.sessions[index].name
        found.append(
            ReadoutPicture(
                session=name,
                rows=tuple(mean[:, 0].tolist()),
                cols=tuple(mean[:, 1].tolist()),
                row_std=tuple(std[:, 0].tolist()),
                col_std=tuple(std[:, 1].tolist()),
                angle=tuple(angle.tolist()),
                scores=tuple(session_scores(units, name).get(unit) for unit in range(len(mean))),
            )
        )
    return tuple(found)


def session_scores(units: object, session: str) -> dict[int, float | None]:
    """Unit -> test score, from the content of `units.json`."""
    for table in unit_tables(units):
        if table.get("name") == session:
            return dict(zip(table["entry"], table["value"], strict=True))
    return {}


def _places(readout: nn.Module, model: Encoder) -> tuple[Tensor, Tensor, Tensor] | None:
    """Mean (u, 2), standard deviation (u, 2) and angle (u) on the grid."""
    if isinstance(readout, GaussianReadout):
        return readout.mean.float(), readout.log_std.float().exp(), readout.angle.float()
    if not isinstance(readout, FactorizedReadout):
        return None
    out = model.modulator.out
    rows = torch.tensor(out.row_centers, device=readout.mask.device)[:, None]
    cols = torch.tensor(out.col_centers, device=readout.mask.device)[None, :]
    weight = readout.mask.float().abs()
    weight = weight / weight.sum(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    mean = torch.stack([(weight * rows).sum((1, 2)), (weight * cols).sum((1, 2))], dim=1)
    square = torch.stack([(weight * rows**2).sum((1, 2)), (weight * cols**2).sum((1, 2))], dim=1)
    return mean, (square - mean**2).clamp_min(0).sqrt(), torch.zeros(len(mean), device=mean.device)


def _scale(adapter: nn.Module) -> Tensor:
    """What a grid coordinate is on the session's stimulus."""
    if isinstance(adapter, AffineAdapter):
        return torch.stack([adapter.log_scale_h, adapter.log_scale_w]).exp()
    return torch.ones(2)
