"""The one check before training: walks all trials, names every fault at once, and counts what a person should know.

Reads the EEG and the frames of every trial once (of films the times of their frames alone, nothing is decoded).
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ablate.data.trials.check.labels import label_problems, subject_problems, value_problems
from ablate.data.trials.layout.table import TrialRow, TrialTable
from ablate.data.trials.signal.form import (
    BADS_HINT,
    Signal,
    SignalOptions,
    as_recorded,
    few_words,
    flat_channels,
    interpolated,
    signal_of,
    without,
)
from ablate.errors import AblateError, Problem

MOST_OF_A_KIND = 3
"""Problems that say the same of different trials; the rest of them is counted."""
STANDS_STILL = 0.1
"""Share of a trial over which a channel repeats one value to the last bit: no noise does, a saturated amplifier, a
loose electrode and zeros in the place of a recording do."""
OTHER_UNIT = 200
"""Times that a subject's EEG may be louder or quieter than the median subject's: a thousand is another unit."""
Read = TypeVar("Read")


@dataclass(frozen=True)
class CheckOptions:
    """What the recipe says. most_absent: share of intervals without any frame that is put up with."""

    signal: SignalOptions
    most_absent: float
    numbers_are_classes: bool


@dataclass(frozen=True)
class TrialFacts:
    """Of one trial. mask: which frames are there (i, f). content: hash of what they show. spread_uv: standard deviation
    of its median channel. flat: channels that do not move. still: channels that move, but not for a while, and the
    longest share of the trial for which each does not. eeg: hash of its EEG."""

    mask: NDArray[np.bool_]
    content: bytes
    spread_uv: float
    flat: tuple[str, ...]
    eeg: bytes
    still: tuple[tuple[str, float], ...] = ()

    @property
    def absent(self) -> int:
        """Intervals without any frame."""
        return int((~self.mask.any(axis=1)).sum())


@dataclass(frozen=True)
class Checked:
    """A folder without faults: its trials, how their EEG is read, and what was found in each (by the row's place)."""

    table: TrialTable
    signal: Signal
    facts: tuple[TrialFacts, ...]

    @property
    def notices(self) -> tuple[str, ...]:
        """What is no fault, but should be known before anybody believes a score."""
        return tuple(_notices(self))


def check_trials(table: TrialTable, options: CheckOptions) -> Checked:
    """Raises AblateError with everything that is wrong, each fault with its file and trial."""
    signal, problems = signal_of(table, options.signal)
    problems = [*table.problems, *problems, *_doubled(table.rows), *subject_problems(table.rows, table.where)]
    if table.targets:
        problems += value_problems(table)
    else:
        problems += label_problems(table.rows, table.where, options.numbers_are_classes)
    facts: list[TrialFacts | None] = []
    for row in table.rows:
        found, faults = _facts_of(row, signal, table.seconds)
        facts.append(found)
        problems += faults
    sound = [(row, one) for row, one in zip(table.rows, facts, strict=True) if one is not None]
    problems += [*_unit_problems(sound), *_same_eeg(sound), *_absent_problems(sound, table, options.most_absent)]
    if not table.rows and not problems:
        problems.append(Problem("holds no trial", table.where))
    if problems:
        raise AblateError(problems=tuple(_gathered(problems)))
    flat = sorted({name for _, one in sound for name in one.flat})
    return Checked(table, without(signal, flat), tuple(one for _, one in sound))


def _facts_of(row: TrialRow, signal: Signal, seconds: float) -> tuple[TrialFacts | None, list[Problem]]:
    """Reads a trial; None where it has faults."""
    problems: list[Problem] = []
    eeg = _tried(lambda: as_recorded(row, seconds), row, problems)
    mask = _tried(row.mask, row, problems)
    content = None if mask is None else _tried(row.content, row, problems)
    if eeg is None or mask is None or content is None:
        return None, problems
    flat = tuple(name for name in flat_channels(row, eeg) if name in signal.channels)
    if flat and signal.options.bads == "refuse":
        problems.append(Problem(f"{', '.join(flat)} flat", f"trial {row.trial_id}", BADS_HINT))
    bads = tuple(name for name in (*row.recording.bads, *flat) if name in signal.channels)
    if signal.options.bads == "interpolate" and bads:
        _tried(lambda: interpolated(eeg, row, tuple(dict.fromkeys(bads))), row, problems)
    seen = hashlib.blake2b(eeg.tobytes(), digest_size=16).digest()
    still = tuple((name, share) for name, share in _still(row, eeg) if name in signal.channels and name not in flat)
    return TrialFacts(mask, content, float(np.median(eeg.std(axis=1))), flat, seen, still), problems


def _still(row: TrialRow, eeg: NDArray[np.float64]) -> Iterator[tuple[str, float]]:
    """Channels that repeat one value for longer than noise ever does, and the longest share of the trial."""
    for name, values in zip(row.recording.channels, eeg, strict=True):
        steps = np.flatnonzero(np.diff(values, prepend=np.nan, append=np.nan))  # NaN is a step at both ends
        share = float(np.diff(steps).max()) / len(values)
        if share >= STANDS_STILL:
            yield name, share


def _tried(read: Callable[[], Read], row: TrialRow, problems: list[Problem]) -> Read | None:
    """What was read; None where that failed, and why among the problems."""
    try:
        return read()
    except AblateError as error:
        problems += [one for one in error.problems if one not in problems]
    except (OSError, ValueError, KeyError, EOFError) as error:  # a reader of files met what nobody thought of
        problems.append(Problem(f"cannot be read: {type(error).__name__}: {error}", f"trial {row.trial_id}"))
    return None


def _doubled(rows: Sequence[TrialRow]) -> Iterator[Problem]:
    """Trials of one name, as of two files of one name in different folders."""
    seen: dict[str, TrialRow] = {}
    for row in rows:
        first = seen.setdefault(row.trial_id, row)
        if first is not row:
            yield Problem(f"trial `{row.trial_id}` is also in {first.where}", row.where, "leave one of them out")


def _same_eeg(sound: Sequence[tuple[TrialRow, TrialFacts]]) -> Iterator[Problem]:
    """The same EEG under two names would stand in train and in test."""
    seen: dict[bytes, TrialRow] = {}
    for row, facts in sound:
        first = seen.setdefault(facts.eeg, row)
        if first is not row:
            what = f"its EEG is that of trial {first.trial_id}, to the last bit"
            yield Problem(what, f"trial {row.trial_id}", "leave one of them out: a copy may be in train and in test")


def _unit_problems(sound: Sequence[tuple[TrialRow, TrialFacts]]) -> Iterator[Problem]:
    """Subjects whose EEG is in another unit than the others'."""
    of: dict[str, list[float]] = {}
    for row, facts in sound:
        of.setdefault(row.subject, []).append(facts.spread_uv)
    typical = {subject: float(np.median(spreads)) for subject, spreads in of.items()}
    middle = float(np.median(list(typical.values()))) if typical else 1.0
    for subject, spread in typical.items():
        if not middle / OTHER_UNIT <= spread <= middle * OTHER_UNIT:
            what = f"its EEG has a standard deviation of {spread:.3g} microvolts, the median subject's has {middle:.3g}"
            yield Problem(what, f"subject {subject}", "all files need the unit that they are said to have")


def _absent_problems(sound: Sequence[tuple[TrialRow, TrialFacts]], table: TrialTable, most: float) -> Iterator[Problem]:
    """More intervals without video than the recipe puts up with."""
    if not sound:
        return
    absent = sum(facts.absent for _, facts in sound)
    share = absent / sum(len(facts.mask) for _, facts in sound)
    if share > most:
        what = f"{_absent_words(sound, table)}, more than `most_absent` {most:g} allows"
        hint = "are t0_video_s seconds in the film, and do the films last as long as their trials? "
        yield Problem(what, table.where, hint + "`data.most_absent: 1` allows EEG alone")


def _absent_words(sound: Sequence[tuple[TrialRow, TrialFacts]], table: TrialTable) -> str:
    """How much video is missing, and why as far as the folder says."""
    absent, total = sum(facts.absent for _, facts in sound), sum(len(facts.mask) for _, facts in sound)
    without = [(row, facts) for row, facts in sound if not facts.mask.any()]
    said = sum(not row.shown for row, _ in without)
    short = [row.trial_id for row, _ in without if row.shown]
    words = f"{absent} of {total} intervals have no frame ({100 * absent / total:.0f} %)"
    if without:
        words += f": {len(without)} of {len(sound)} trials have none at all, {said} of them name no video"
    if short:
        words += f", {len(short)} name one that does not show them (the first: {short[0]})"
    return words


def _notices(checked: Checked) -> Iterator[str]:
    sound, table = list(zip(checked.table.rows, checked.facts, strict=True)), checked.table
    filters = checked.signal.options.filters
    if said := filters.words:
        whole = any(row.around is not None for row in table.rows)
        where = "with the recording around each trial" if whole else "each trial by itself, so its ends suffer"
        yield f"{said}; {where}" if filters.band_hz is not None or filters.notch_hz is not None else said
    if table.unequal:
        lengths = [table.intervals_of(row) for row in table.rows]
        short = sum(length < max(lengths) for length in lengths)
        yield (
            f"trials of {min(lengths)} to {max(lengths)} intervals: {short} of {len(lengths)} are padded at their end, "
            "and no pad is pooled or scored"
        )
    if any(facts.absent for facts in checked.facts):
        yield _absent_words(sound, table)
    marked = sorted({bad for row in table.rows for bad in row.recording.bads})
    flat = sorted({name for facts in checked.facts for name in facts.flat})
    if marked or flat:
        become = {"drop": "left out of all trials", "interpolate": "interpolated where they are bad"}
        done = become.get(checked.signal.options.bads, "kept as they are")
        yield f"channels marked as bad: {', '.join(marked) or 'none'}; flat: {', '.join(flat) or 'none'}; {done}"
    yield from _still_words(sound)
    yield from table.notices
    if table.targets:
        yield from _unrated(table)
        return
    noun = "trials" if table.labels_per == "trial" else "intervals"
    counts = Counter(label for row in table.rows for label in row.own_labels if label)
    few = [f"`{label}` ({count})" for label, count in counts.items() if count < 3]
    if few:
        yield f"fewer than three {noun} of {', '.join(few)}: not every split can hold such a class"


def _still_words(sound: Sequence[tuple[TrialRow, TrialFacts]]) -> Iterator[str]:
    """Channels that stand still in a part of some trials: no fault by itself, but a model may learn where they do."""
    found = [(share, row.trial_id, name) for row, facts in sound for name, share in facts.still]
    if found:
        trials = len({trial for _, trial, _ in found})
        share, trial, name = max(found)
        names = sorted({name for *_, name in found})
        yield (
            f"channels that stand still for a tenth of a trial or longer, as clipped or padded ones do: "
            f"{few_words(names)}, in {trials} of {len(sound)} trials (the longest: {name}, {100 * share:.0f} % of "
            f"trial {trial}); they are kept as they are"
        )


def _unrated(table: TrialTable) -> Iterator[str]:
    """How much is not rated of each number."""
    noun = "trials" if table.labels_per == "trial" else "intervals"
    for place, name in enumerate(table.targets):
        values = [own[place] for row in table.rows for own in row.values]
        if left := int(np.isnan(values).sum()):
            yield f"{name} is not rated in {left} of {len(values)} {noun}: these are not scored"


def _gathered(problems: Sequence[Problem]) -> Iterator[Problem]:
    """Each problem once; of those that say the same of many trials a few, and how many more there are."""
    alike: dict[tuple[str, str], list[Problem]] = {}
    for problem in dict.fromkeys(problems):
        alike.setdefault((problem.what, problem.hint), []).append(problem)
    for (what, hint), same in alike.items():
        yield from same[:MOST_OF_A_KIND]
        left = len(same) - MOST_OF_A_KIND
        if left > 0:
            yield Problem(f"{what}: the same in {left} more, as {same[-1].where}", "", hint)
