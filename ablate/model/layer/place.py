"""Where the cells of a coarser map lie on the stimulus, given where the cells of the finer one lie."""

from collections.abc import Sequence

from ablate.contract import FeatureMap


def at_positions(centers: Sequence[float], positions: Sequence[float | int]) -> tuple[float, ...]:
    """Stimulus coordinates of (fractional) cell positions; cells are evenly spaced, also beyond the edge."""
    spacing = (centers[-1] - centers[0]) / (len(centers) - 1) if len(centers) > 1 else 0.0
    return tuple(centers[0] + position * spacing for position in positions)


def coarser(
    input: FeatureMap,
    *,
    channels: int,
    time_stride: int,
    rows: Sequence[float | int],
    cols: Sequence[float | int],
) -> FeatureMap:
    """The map whose cells lie at positions `rows` and `cols`, counted in cells of `input`."""
    return FeatureMap(
        channels=channels,
        height=len(rows),
        width=len(cols),
        time_step=input.time_step * time_stride,
        row_centers=at_positions(input.row_centers, rows),
        col_centers=at_positions(input.col_centers, cols),
    )
