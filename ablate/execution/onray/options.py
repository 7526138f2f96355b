"""What a recipe may say of Ray alone."""

from pydantic import field_validator

from ablate.config import Config
from ablate.execution.storage.url import checked_url


class RayOptions(Config):
    """`ray:` of a recipe's `execution:` or of the site's file."""

    address: str | None = None
    """`auto`, `ray://head:10001` or `head:6379`; where not given, $RAY_ADDRESS, else a Ray is started on this machine
    for as long as the command runs."""
    resources: dict[str, float] = {}
    """Any other resource of Ray's that a run asks for, by its name: `{accelerator_type:A100: 0.001}`."""
    storage: str | None = None
    """Where nodes put checkpoints and results that do not see the study's folder: any store of fsspec's, as
    `s3://bucket/folder` or `gs://bucket/folder`. The command fetches results from there."""

    @field_validator("storage")
    @classmethod
    def _holds_no_secret(cls, storage: str | None) -> str | None:
        return None if storage is None else checked_url(storage)
