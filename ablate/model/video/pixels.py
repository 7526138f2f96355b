"""What every encoder of pixels asks of the data."""

from ablate.errors import AblateError


def require_pixels(frame_shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of a frame. Raises AblateError if the data hold features."""
    if len(frame_shape) == 3 and frame_shape[0] == 3:
        return frame_shape[1], frame_shape[2]
    held = f"features of width {frame_shape[0]}" if len(frame_shape) == 1 else f"arrays of shape {frame_shape}"
    raise AblateError(
        f"the data hold {held}, not pixels (3, h, w)",
        where="baseline.video.type",
        hint="use `video: {type: features}`, or data with pixels (coincidence: `mode: pixels`)",
    )
