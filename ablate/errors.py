"""A user's mistake, as one clear message: where, what, and the next move. Never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    where: file, file:line or key path; may be empty.
    what: the fault, in one sentence without a full stop.
    hint: the next move; may be empty.
    """

    what: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"error: {head}" + (f"\n\nhint: {self.hint}" if self.hint else "")


class AblateError(Exception):
    """Raised for anything that the user can fix; the command line prints it and exits with 2.

    Several problems come together, since fixing them one run at a time wastes a person's day.
    """

    def __init__(self, what: str = "", *, where: str = "", hint: str = "", problems: tuple[Problem, ...] = ()):
        self.problems = problems or (Problem(what, where, hint),)
        super().__init__("\n\n".join(str(problem) for problem in self.problems))


@dataclass
class Problems:
    """What is wrong with something that a person wrote: handed down to all who read it, so that it is said at once.

    unknown: words that mean nothing, said first since others often follow from them. notices: worth knowing, no fault.
    """

    unknown: list[Problem] = field(default_factory=list)
    wrong: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.unknown or self.wrong)

    @property
    def found(self) -> tuple[Problem, ...]:
        """All that is wrong, each once."""
        return tuple(dict.fromkeys((*self.unknown, *self.wrong)))

    def fault(self, what: str, where: str = "", hint: str = "") -> None:
        """One more thing that is wrong."""
        self.wrong.append(Problem(what, where, hint))

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """What the block raises for a person to fix is collected too."""
        try:
            yield
        except AblateError as error:
            self.wrong += error.problems

    def refuse(self) -> None:
        """Raises AblateError with all of it, if there is any."""
        if self:
            raise AblateError(problems=self.found)
