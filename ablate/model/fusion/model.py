"""EEG-centred video fusion: EEG tokens query what the video shows in their own interval.

    frames (b i f 3 h w) --video--> (b i f w) --projection--> (b i f d) --mixer--> (b i f d) --compressor--> (b i n d)
    eeg (b c t) --eeg--> (b e d) --fusion with the latents--> (b e d) --head--> log-probabilities (b n classes)
                                                                 or mean and log sd (b n k 2)

Each stage is a part that a patch can replace; `fusion: none` (EEG alone) builds no video parts at all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import torch
from einops import repeat
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ablate.contract import DataSpec, EegEncoder, Fusion, FusionBatch, FusionSpec, Model, Part
from ablate.errors import AblateError
from ablate.model.compiled import CompiledRows
from ablate.model.crossmodal import CrossmodalConfig
from ablate.model.crossmodal.gated_cross_attention import GatedCrossAttentionConfig
from ablate.model.eeg import EegConfig
from ablate.model.eeg.eegnet import EegnetConfig
from ablate.model.eeg.segments import interval_of_token
from ablate.model.fusion.head import head_for
from ablate.model.fusion.isolation import isolation, leak, notes
from ablate.model.fusion.media import MediaConfig, MediaStack, NoMedia
from ablate.model.layer.imported import kept
from ablate.model.start import StartConfig, begin, prepare, told


class FusionConfig(MediaConfig):
    """EEG and video to labels, classes or numbers."""

    type: Literal["fusion"] = "fusion"
    eeg: EegConfig = EegnetConfig()
    """What turns EEG into tokens."""
    fusion: CrossmodalConfig = GatedCrossAttentionConfig()
    """What brings the video to the EEG."""
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Dropout before the head."""
    init: StartConfig | None = None
    """Parts that start from a trained model, frozen or not."""

    def build(self, spec: DataSpec) -> "FusionModel":
        """The model for this data. Raises AblateError if the data has no EEG and video, or a part does not fit."""
        if not isinstance(spec, FusionSpec):
            raise AblateError(
                "a fusion model needs EEG and video, but the data has spikes",
                where="baseline.type",
                hint="choose data of type coincidence or trials, or a baseline of type encoder",
            )
        return FusionModel(self, spec)


class FusionModel(Model):
    """The parts in the order of the flow."""

    def __init__(self, config: FusionConfig, spec: FusionSpec):
        super().__init__()
        width = config.embedding_dim
        self.config, self.spec = config, spec
        self.eeg = kept(config.eeg.build(spec.eeg_channels, spec.eeg_samples, spec.intervals, width), EegEncoder)
        of_token = interval_of_token(count_tokens(self.eeg, spec), spec.intervals)
        self.media: MediaStack | NoMedia = MediaStack(config, spec) if config.fusion.needs_media else NoMedia(width)
        self.fusion = kept(config.fusion.build(width, of_token, spec.intervals, self.media.latents), Fusion)
        self.head = head_for(spec, width, config.dropout)
        prepare(self, config.init)
        self.joined: Callable[..., Tensor] = self._joined

    def forward(self, batch: FusionBatch) -> tuple[Tensor, ...]:
        """Log-probabilities (b, n, classes), or mean and log sd (b, n, k, 2), for each target, in order."""
        frames = self.media.tokens(batch)
        predictions = self.joined(batch.eeg, frames, self.media.token_mask(batch.frame_mask), batch.lasting)
        rows = [target.values.shape[0] for target in batch.targets]
        return predictions.split(rows)

    def _joined(
        self,
        eeg: Float[Tensor, "b c t"],
        frames: Float[Tensor, "b i f w"] | None,
        mask: Bool[Tensor, "b i f"],
        lasting: Bool[Tensor, "b i"] | None = None,
    ) -> Float[Tensor, "b n *k"]:
        """All that follows the frame encoder: its tokens and the EEG to predictions.

        Beyond the end of a trial the EEG is zero, whatever lies there, and its tokens are in no mean.
        """
        latents, present = self.media.from_tokens(frames, mask)
        if lasting is not None:
            recorded = repeat(lasting, "b i -> b 1 (i p)", p=eeg.shape[2] // lasting.shape[1])
            eeg = eeg.masked_fill(~recorded, 0.0)
        return self.head(self.fusion(self.eeg(eeg), latents, present), lasting)

    def compile(self, *args: object, **options: object) -> None:
        """Compiles what follows the frame encoder, one graph for training and one for evaluation, and the encoder.

        The encoder is compiled by itself: how many frames are there differs from batch to batch.
        """
        self.media.compile(*args, **options)
        self.joined = CompiledRows(self._joined, *args, **options)

    def progress(self, fraction: float) -> None:
        """Tells every part that has a schedule how much of training is done."""
        for part in self._flow().values():
            part.progress(fraction)

    def parts(self) -> Mapping[str, nn.Module | Sequence[nn.Module]]:
        """The modules of each part in the order of the flow; together they hold every parameter."""
        return {**self.media.parts(), "eeg": self.eeg, "fusion": self.fusion, "head": self.head}

    def lints(self) -> Iterator[str]:
        for name, part in self._flow().items():
            yield from (f"{name}.{text}" for text in part.lints())

    def _flow(self) -> dict[str, Part]:
        return {**self.media.flow(), "eeg": self.eeg, "fusion": self.fusion}

    def cost_notes(self) -> dict[str, str]:
        """The isolation matrix, what a frozen video encoder costs once its features are cached, and the parts' own."""
        notes_of_media = notes(self.config, self.spec, self.media) if isinstance(self.media, MediaStack) else {}
        return (
            notes_of_media
            | told(self.config.init)
            | {name: text for part in self._flow().values() for name, text in part.cost_notes().items()}
        )

    def begin(self) -> None:
        begin(self, self.config.init)

    def measures(self) -> dict[str, float]:
        """leak: how much an interval's latents owe to another interval's frames, as the model was trained."""
        matrix = isolation(self.media, self.spec)
        return {} if matrix is None else {"leak": leak(matrix)}

    def gates(self) -> dict[str, float]:
        """How far each gate has opened, tanh(a) and tanh(g) of a gated fusion."""
        return {name: opened for part in self._flow().values() for name, opened in part.gates().items()}


def count_tokens(eeg: nn.Module, spec: FusionSpec) -> int:
    """EEG tokens of one trial, found by passing an empty one through."""
    device = next((p.device for p in eeg.parameters()), torch.device("cpu"))
    with torch.no_grad():
        return eeg(torch.zeros(1, spec.eeg_channels, spec.eeg_samples, device=device)).shape[1]
