"""A store's URL as a person writes it: what is wrong with it, and the store itself."""

import re
import time
from collections.abc import Callable

from ablate.errors import AblateError
from ablate.execution.job import why
from ablate.execution.storage.bucket import CREDENTIALS, Bucket

_URL = re.compile(r"[a-z][a-z0-9+.-]*://.+")
_SECRET = re.compile(r"[^/]*://[^/]*:[^/]*@|[^?]*\?.*(key|secret|token|password|sig)", re.IGNORECASE)
PACKAGES = {
    "s3": "'ablate[s3]'",
    "s3a": "'ablate[s3]'",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
    "adl": "adlfs",
    "oci": "ocifs",
    "oss": "ossfs",
    "sftp": "paramiko",
    "ssh": "paramiko",
}
"""What pip installs for a protocol."""


def checked_url(url: str) -> str:
    """The URL without a slash at its end. Raises ValueError, which never shows it: it may hold a password."""
    if _SECRET.match(url):
        raise ValueError(f"holds a password or a key, which would be written into files and logs; {CREDENTIALS}")
    if "::" in url:
        raise ValueError("is a chain of stores (`::`); name the store itself")
    if not _URL.fullmatch(url):
        raise ValueError("is no URL: write `s3://bucket/folder`, `gs://bucket/folder`, or `file:///folder`")
    return url.rstrip("/")


def open_bucket(url: str, pause: Callable[[float], object] = time.sleep) -> Bucket:
    """Raises AblateError for a protocol that nobody knows, and for one whose package is not installed."""
    from fsspec.core import url_to_fs

    protocol = url.partition("://")[0]
    try:
        files, root = url_to_fs(url)
    except ImportError as error:
        hint = f"pip install {PACKAGES.get(protocol, 'what it names')}, here and on every node"
        raise AblateError(f"`{protocol}://` needs a package: {why(error)}", where=url, hint=hint) from None
    except Exception as error:  # of any store's library
        raise AblateError(f"cannot be opened: {why(error)}", where=url, hint=CREDENTIALS) from error
    return Bucket(files, root, url, pause=pause)
