"""EEG cut into the intervals of the video, so that no token spans two of them."""

from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, arange

from ablate.errors import AblateError


def segment_samples(samples: int, intervals: int) -> int:
    """Samples of one interval. Raises AblateError if the trial does not divide."""
    if samples % intervals:
        raise AblateError(
            f"{samples} EEG samples do not divide into {intervals} intervals",
            where="data",
            hint="cut the end: a window closed on both sides is a sample too long (MNE: 5 s at 100 Hz give 501)",
        )
    return samples // intervals


def cut(eeg: Float[Tensor, "b c t"], intervals: int) -> Float[Tensor, "s c p"]:
    """One row for each interval of each trial."""
    return rearrange(eeg, "b c (i p) -> (b i) c p", i=intervals)


def join(tokens: Float[Tensor, "s k d"], intervals: int) -> Float[Tensor, "b e d"]:
    """The tokens of a trial's intervals one after the other; inverse of `cut`."""
    return rearrange(tokens, "(b i) k d -> b (i k) d", i=intervals)


def interval_of_token(tokens: int, intervals: int) -> Int[Tensor, " e"]:
    """The interval of each token, where each interval has equally many. Raises AblateError if they do not divide."""
    if tokens % intervals:
        raise AblateError(
            f"an EEG encoder gave {tokens} tokens for {intervals} intervals",
            where="baseline.eeg",
            hint="an encoder must give the same number of tokens for each interval",
        )
    return arange(intervals).repeat_interleave(tokens // intervals)
