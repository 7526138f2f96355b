"""Takes what a study does while it is trained, gives it to its loggers: in the command, so that no worker needs any."""

from ablate.study.logger.watcher import logging_to
