"""Weights of image models from local files, as several programs write them.

timm's own reader and filter take {"model": ...}, {"state_dict": ...}, names with `module.` before them, and the names
of OpenAI's and open_clip's CLIP (the image tower of them), DINOv2 and others. A classifier is left out.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ablate.errors import AblateError

WHERE = "baseline.video.weights"
SHOWN = 3
"""Names of tensors in a message: a checkpoint of another model has hundreds that do not fit."""


def load_weights(model: nn.Module, file: Path) -> None:
    """Reads a checkpoint into the model. Raises AblateError for a file that is none, or is another model's."""
    if not file.is_file():
        hint = "name a .safetensors or .pt file, `hub`, or `random`"
        raise AblateError(f"there is no file {file}", where=WHERE, hint=hint)
    import timm.models

    try:
        state = timm.models.load_state_dict(str(file), use_ema=False, weights_only=True)
        state = _in_timms_names(state, model)
    except Exception as error:  # pickle, zip and safetensors each fail in their own way, and so does each filter
        hint = "a .safetensors or .pt file with the tensors of a model, and nothing but tensors"
        raise AblateError(f"{file} cannot be read: {error}", where=WHERE, hint=hint) from error
    own = model.state_dict()
    missing = [name for name in own if name not in state]
    other = [name for name in state if name not in own]
    wrong = [name for name in own if name in state and state[name].shape != own[name].shape]
    if missing or other or wrong:
        parts = {"lacks": missing, "has beside them": other, "has in another shape": wrong}
        what = "; ".join(f"it {verb} {_few(names)}" for verb, names in parts.items() if names)
        hint = f"the file must hold the tensors of timm's model of that `name` ({len(own)} of them)"
        raise AblateError(f"{file} does not fit the model: {what}", where=WHERE, hint=hint)
    model.load_state_dict(state)


def _in_timms_names(state: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """The checkpoint by timm's names, without its classifier. Another program's prefix (`module.`, `visual.trunk.`,
    `backbone.`) goes where all of the model's tensors stand behind it."""
    for prefix in ("module.", "visual.trunk.", "model.", "backbone.", "encoder."):
        behind = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        if len(behind) >= len(model.state_dict()) // 2:
            state = behind
    # Each family of timm's models has a filter of its own in its module, or none.
    convert: Any = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    converted = dict(state if convert is None else convert(dict(state), model))
    config: Any = getattr(model, "pretrained_cfg", {})  # every model of timm has one
    named = config.get("classifier") or ()
    heads = tuple(f"{name}." for name in ((named,) if isinstance(named, str) else named))
    own = model.state_dict()
    return {
        name: tensor for name, tensor in converted.items() if name in own or not name.startswith(heads or ("head.",))
    }


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
