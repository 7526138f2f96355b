"""A user's mistake, as one clear message: where, what, and the next move. Never a traceback."""

from dataclasses import dataclass


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
