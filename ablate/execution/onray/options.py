"""What a recipe may say of Ray alone."""

from ablate.config import Config


class RayOptions(Config):
    """`ray:` of a recipe's `execution:` or of the site's file."""

    address: str | None = None
    """`auto`, `ray://head:10001` or `head:6379`; where not given, $RAY_ADDRESS, else a Ray is started on this machine
    for as long as the command runs."""
    resources: dict[str, float] = {}
    """Any other resource of Ray's that a run asks for, by its name: `{accelerator_type:A100: 0.001}`."""
