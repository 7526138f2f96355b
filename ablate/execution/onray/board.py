"""What tasks say while they run, where they share no folder with their command: a small actor of Ray's, beside it.

It holds the last word of each task that has not been read yet. When it is lost, no more than that is.
"""

from typing import Any

NEWS = dict[str, tuple[str, str, str]]
"""By key: attempt, node's name, and what the progress file says; nothing where the task has only begun."""


class Board:
    """The actor."""

    def __init__(self) -> None:
        self._news: NEWS = {}

    def tell(self, key: str, attempt: str, host: str, progress: str) -> None:
        self._news[key] = (attempt, host, progress)

    def read(self) -> NEWS:
        """What is new since it was last asked."""
        news, self._news = self._news, {}
        return news


class Reader:
    """The command's side: never waits for the board."""

    def __init__(self) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        remote: Any = ray.remote  # its overloads take no class of ours
        kind = remote(num_cpus=0, max_restarts=-1, scheduling_strategy=here)(Board)
        self.board: Any = kind.remote()
        self._asked: Any = None

    def news(self) -> NEWS:
        """What has come since the last call."""
        import ray

        if self._asked is None:
            self._asked = self.board.read.remote()
        if not ray.wait([self._asked], timeout=0)[0]:
            return {}
        asked, self._asked = self._asked, None
        try:
            news: NEWS = ray.get(asked)
        except ray.exceptions.RayError:  # the board's node was lost: it is begun again
            return {}
        return news
