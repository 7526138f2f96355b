"""Who hears how a study goes: a screen, a test, nobody."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.analysis.outcome import Settling
    from ablate.execution import Event
    from ablate.study.running.job import RunJob
    from ablate.study.study import Study


class Watcher:
    """Hears nothing; a subclass hears what it cares for."""

    def doing(self, what: str) -> None:
        """What is being done before there is a plan, in a few words."""

    def notice(self, what: str) -> None:
        """What a person should know, in a sentence; from whatever thread."""

    def planned(self, study: "Study", todo: "Sequence[RunJob]") -> None:
        """Before the study's own runs."""

    def look(self, state: "Settling", todo: "Sequence[RunJob]", ahead: "Sequence[RunJob]" = ()) -> None:
        """Before each look of a study that is run until settled: where it stands, what the look trains, and what is
        trained with it for the looks after."""

    def stage(self, name: str, todo: "Sequence[RunJob]") -> None:
        """Before runs that are not the study's own: what they are for."""

    def event(self, event: "Event") -> None:
        """A run began, was tried again or ended."""

    def finished(self) -> None:
        """All is trained."""
