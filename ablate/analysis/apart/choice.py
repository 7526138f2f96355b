"""Which rows are tried on fresh seeds, and which seeds these are: both follow from the study alone."""

from collections.abc import Iterable
from difflib import get_close_matches

from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.row.files import files_of
from ablate.analysis.study import analyse
from ablate.errors import AblateError
from ablate.result import RunRecord, Store, StudyManifest

WORDS = ("winner", "all", "controls")


def chosen_rows(store: Store, records: Iterable[RunRecord], asked: str) -> tuple[str, ...]:
    """The rows of a study's folder that are to be confirmed. What fresh seeds have said already chooses none."""
    alone = store.manifest().model_copy(update={"confirmations": ()})
    analysis = analyse(alone, records, **files_of(store))
    return rows_to_confirm(analysis, asked)


def rows_to_confirm(analysis: StudyAnalysis, asked: str) -> tuple[str, ...]:
    """`winner`, `all` (that carry a verdict), `controls` or names, with commas between. Raises AblateError for a name
    that is no patch or control.
    """
    wanted: dict[str, None] = {}
    for word in (part.strip() for part in asked.split(",")):
        if word:
            wanted |= dict.fromkeys(_rows(analysis, word))
    return tuple(row.name for row in analysis.rows if row.name in wanted)


def _rows(analysis: StudyAnalysis, word: str) -> tuple[str, ...]:
    if word == "winner":
        return () if analysis.winner is None else (analysis.winner,)
    if word == "all":
        decided = ("helps", "hurts", "negligible")
        return tuple(row.name for row in analysis.rows if row.role == "variant" and row.verdict in decided)
    if word == "controls":
        return tuple(row.name for row in analysis.rows if row.role == "control" and row.verdict != "invalid")
    known = {
        name: row.name
        for row in analysis.rows
        if row.role in ("variant", "control")
        for name in (row.name, *row.aliases)
    }
    if word not in known:
        near = get_close_matches(word, (*known, *WORDS), n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"say {', '.join(WORDS)}, or name {', '.join(known)}"
        raise AblateError(f"--confirm-rows {word}: no patch or control has that name", hint=hint)
    return (known[word],)


def rows_to_retune(analysis: StudyAnalysis, asked: str) -> tuple[str, ...]:
    """`ahead`: the patches that help; `all`: every patch that has a score; `none`."""
    rows = [row for row in analysis.rows if row.role == "variant" and row.verdict != "invalid" and row.score]
    return tuple(row.name for row in rows if asked == "all" or (asked == "ahead" and row.verdict == "helps"))


def fresh_seeds(manifest: StudyManifest, records: Iterable[RunRecord], number: int) -> tuple[int, ...]:
    """Seeds that nobody has looked at: no run of the study has used or will use them, no earlier confirmation, and the
    recipe does not name them as looked at. From the next multiple of ten."""
    used = {*manifest.seeds, *manifest.fresh_seeds, *(record.seed for record in records)}
    used |= set(manifest.looked_at.seeds if manifest.looked_at else ())
    used |= set(manifest.schedule.seeds if manifest.schedule else ())
    first = 10 * (max(used) // 10 + 1)
    return tuple(range(first, first + number))


def lacking(manifest: StudyManifest, rows: Iterable[str], number: int) -> tuple[str, ...]:
    """The rows that have fewer fresh seeds than asked for."""
    return tuple(name for name in rows if len(manifest.confirming(name)) < number)
