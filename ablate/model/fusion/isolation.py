"""The isolation matrix: how strongly the latents of interval i depend on the frames of interval j.

    M_ij = || d latents_i / d frames_j ||_F, estimated by random projections, each row divided by its largest entry

A diagonal matrix means that latents of one interval know no other. `scope: clip` or a ViViT fill it: then `mask: own`
keeps an EEG token from other intervals' latents, but not from other intervals' frames.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ablate.contract import FusionBatch, FusionSpec, VideoEncoder
from ablate.model.fusion.media import MediaConfig, MediaStack
from ablate.model.video.features import Features
from ablate.model.video.frame_encoder import FrameEncoder
from ablate.model.video.hf_video import HfVideo

PROJECTIONS = 2
MOST_PLACES = 2
"""Tokens of a frame that stand for all of them: places know each other within an interval or not at all."""


def isolation(media: nn.Module, spec: FusionSpec) -> Float[Tensor, "i i"] | None:
    """The matrix, rows latents and columns frames, or None for a model without video. Leaves the module as it was.

    An encoder that looks at one frame, or one interval, at a time is passed over: its features stand for the frames.
    """
    if not isinstance(media, MediaStack):
        return None
    training = media.training
    media.eval()
    try:
        matrix = _matrix(media, spec)
    finally:
        media.train(training)
    return matrix / matrix.amax(dim=1, keepdim=True).clamp(min=1e-30)


def tell(matrix: Float[Tensor, "i i"]) -> str:
    """The matrix in one line: rows are latents of an interval, columns frames; `#` depends, `.` does not."""
    return " ".join("".join("#" if value > 1e-5 else "." for value in row) for row in matrix.tolist())


def leak(matrix: Float[Tensor, "i i"]) -> float:
    """The largest dependence on another interval, 1 where it is as strong as the row's strongest; 0: diagonal."""
    others = matrix.masked_fill(torch.eye(len(matrix), dtype=torch.bool, device=matrix.device), 0.0)
    return float(others.max())


def notes(config: MediaConfig, spec: FusionSpec, media: MediaStack) -> dict[str, str]:
    """What a cost table says of the video side beyond counts. Builds it anew on the CPU, without a frame encoder."""
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.manual_seed(0)  # else the table would say something else each time
        matrix = isolation(_without_frame_encoder(config, spec, media.video), spec)
    found = {}
    if matrix is not None:
        found["isolation (latents x frames)"] = f"{tell(matrix)}, other intervals at most {leak(matrix):.2g}"
    if media.video.frozen:
        kept = "no FLOPs once its features are cached" if media.video.cached else "features are not kept"
        found["video"] = f"frozen: {kept}"
    return found


def _without_frame_encoder(config: MediaConfig, spec: FusionSpec, video: VideoEncoder) -> MediaStack:
    """The video side; an encoder that sees single frames or intervals, which may be large, is replaced by its
    features' place."""
    if isinstance(video, FrameEncoder | HfVideo | Features):
        some = min(video.places, MOST_PLACES)
        return MediaStack(config, spec, video=Features(video.width, video.frames // video.places * some, some))
    return MediaStack(config, spec)


def _matrix(media: MediaStack, spec: FusionSpec) -> Float[Tensor, "i i"]:
    """Norms of the gradients of each interval's latents with respect to the frames of each interval."""
    generator = torch.Generator().manual_seed(0)
    device = next(media.parameters()).device
    total = torch.zeros(spec.intervals, spec.intervals, device=device)
    from_features = isinstance(media.video, FrameEncoder | HfVideo | Features)
    shape = (media.video.frames, media.video.width) if from_features else (spec.frames, *spec.frame_shape)
    for _ in range(PROJECTIONS):
        x = torch.randn(1, spec.intervals, *shape, generator=generator).to(device)
        x = (x if from_features else 127 + 50 * x).requires_grad_()
        mask = torch.ones(x.shape[:3], dtype=torch.bool, device=device)
        if from_features:
            latents, _ = media.from_tokens(x, mask)
        else:
            latents, _ = media(FusionBatch(torch.zeros(1, 1, 1), x, mask, ()))
        direction = torch.randn(latents.shape, generator=generator).to(device)
        for interval, projected in enumerate((latents * direction).sum(dim=(0, 2, 3))):
            (gradient,) = torch.autograd.grad(projected, x, retain_graph=True)
            total[interval] += gradient[0].flatten(start_dim=1).square().sum(dim=1)
    return total.sqrt()
