"""What only SLURM understands of `execution:`, in its own words."""

from pydantic import Field

from ablate.config import Config


class SlurmOptions(Config):
    """`slurm:` of a recipe's `execution:` or of the site's file."""

    partition: str | None = None
    """Where jobs wait; the cluster's default where not given."""
    account: str | None = None
    """Whom the cluster bills."""
    qos: str | None = None
    """Quality of service."""
    constraint: str | None = None
    """Features that a node must have: `a100|h100`."""
    setup: tuple[str, ...] = ()
    """Lines of shell before each run, `module load cuda` or `source env/bin/activate`."""
    python: str | None = None
    """Python of the nodes; that of the command where not given."""
    extra: dict[str, str | int | bool] = {}
    """Any other option of sbatch by its name: `{reservation: x, exclude: node7}`."""
    signal_seconds: int = Field(default=90, ge=10)
    """Seconds before the time limit at which a run is asked to save its place and goes on in a new job."""
    poll_seconds: float = Field(default=10.0, gt=0)
    """Seconds between two looks at the queue. What a run tells of its end is seen at once."""
