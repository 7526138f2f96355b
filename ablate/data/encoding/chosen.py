"""Which units the recipe leaves out: they keep their numbers, and count nowhere."""

import numpy as np
from jaxtyping import Bool, Float

from ablate.data.encoding.config import UnitsConfig
from ablate.data.recording import Recording
from ablate.errors import AblateError

Array = np.ndarray


def not_asked_for(
    recording: Recording, mean_rate: Float[np.ndarray, " u"], config: UnitsConfig
) -> Bool[np.ndarray, " u"]:
    """(u,) mean_rate: expected spikes a bin in train. Raises AblateError for a number that no unit has, and where none
    is left."""
    out = mean_rate * recording.bin_rate_hz < config.min_rate_hz
    if config.only is not None:
        if max(config.only) >= recording.units:
            what = f"{recording.name} has {recording.units} units, numbered from 0; there is no unit {max(config.only)}"
            raise AblateError(what, where="data.units.only")
        out |= ~np.isin(np.arange(recording.units), config.only)
    if out.all():
        highest = float(mean_rate.max()) * recording.bin_rate_hz
        hint = f"its most active unit fires {highest:.3g} spikes a second in train"
        raise AblateError(f"no unit of {recording.name} is left", where="data.units", hint=hint)
    return np.asarray(out)
