"""The isolation matrix: how strongly the latents of interval i depend on the frames of interval j.

    M_ij = || d latents_i / d frames_j ||_F, estimated by random projections, each row divided by its largest entry

A diagonal matrix means that latents of one interval know no other. `scope: clip` or a joint ViViT fill it: then `mask: own`
keeps an EEG token from other intervals' latents, but not from other intervals' frames.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ablate.contract import FusionBatch, FusionSpec
from ablate.model.fusion import FusionModel, MediaStack

PROJECTIONS = 2


def isolation(model: FusionModel) -> Float[Tensor, "i i"] | None:
    """The matrix, rows latents and columns frames, or None for a model without video. Leaves the model as it was.

    A frame encoder that looks at one frame at a time is passed over: its features stand for the frames.
    """
    media = model.media
    if not isinstance(media, MediaStack):
        return None
    training = media.training
    media.eval()
    try:
        rows = [_row(media, model.spec, interval) for interval in range(model.spec.intervals)]
    finally:
        media.train(training)
    matrix = torch.stack(rows)
    return matrix / matrix.amax(dim=1, keepdim=True).clamp(min=1e-30)


def _row(media: MediaStack, spec: FusionSpec, interval: int) -> Float[Tensor, " i"]:
    """Norms of the gradient of one interval's latents with respect to the frames of each interval."""
    generator = torch.Generator().manual_seed(interval)
    device = next(media.parameters()).device
    total = torch.zeros(spec.intervals, device=device)
    per_frame = getattr(media.video, "per_frame", False)
    shape = (media.video.width,) if per_frame else spec.frame_shape
    frames = media.video.frames if per_frame else spec.frames
    for _ in range(PROJECTIONS):
        x = torch.randn(1, spec.intervals, int(frames), *shape, generator=generator).to(device)  # type: ignore[arg-type]
        x = (x if per_frame else 127 + 50 * x).requires_grad_()
        mask = torch.ones(x.shape[:3], dtype=torch.bool, device=device)
        if per_frame:
            latents, _ = media.from_tokens(x, mask)
        else:
            latents, _ = media(FusionBatch(torch.zeros(1, 1, 1), x, mask, ()))
        direction = torch.randn(latents[:, interval].shape, generator=generator).to(device)
        (gradient,) = torch.autograd.grad((latents[:, interval] * direction).sum(), x)
        total += gradient[0].flatten(start_dim=1).square().sum(dim=1)
    return total.sqrt()


def tell(matrix: Float[Tensor, "i i"]) -> str:
    """The matrix in one line: rows are latents of an interval, columns frames; `#` depends, `.` does not."""
    return " ".join("".join("#" if value > 1e-5 else "." for value in row) for row in matrix.tolist())
