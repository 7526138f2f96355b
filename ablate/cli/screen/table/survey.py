"""What a scientist checks of recordings first, on one screen of 80 columns and 40 lines; of several, a part of each."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from ablate.analysis.words import number, percent, plural
from ablate.cli.console import out
from ablate.report.text import cut, plain
from ablate.result.measure.repeats import SessionRepeats
from ablate.result.measure.survey import SessionSurvey, Survey, UnitSurvey

WIDTH = 80
LINES = 40
MOST_UNITS = 6
SHOWN_SESSIONS = 6
NOTES = ("note", "source", "license")


def print_json(survey: Survey, repeats: Sequence[SessionRepeats]) -> None:
    """All of it, for programs."""
    print(json.dumps({**asdict(survey), "repeats": [one.model_dump(mode="json") for one in repeats]}, indent=1))


def print_survey(survey: Survey, repeats: Sequence[SessionRepeats]) -> None:
    console = out()
    for line in survey_lines(survey, repeats):
        console.print(cut(line, WIDTH), markup=False)


def survey_lines(survey: Survey, repeats: Sequence[SessionRepeats] = ()) -> list[str]:
    """Of one recording all that fits a screen; of several the head, what warns and the score of each."""
    held = {one.name: one for one in repeats}
    several = len(survey.sessions) > 1
    lines = [survey.summary]
    for session in survey.sessions[:SHOWN_SESSIONS]:
        lines += ["", *_session(session, held.get(session.name), brief=several)]
    more = len(survey.sessions) - SHOWN_SESSIONS
    lines += [f"and {plural(more, 'more session')}: --format json has all"] if more > 0 else []
    notices = [line for notice in survey.notices for line in _wrapped("note", plain(notice))]
    tail = [f"fingerprint {survey.fingerprint[:16]}, scored test bins {survey.scored_hash['test'][:16]}"]
    room = max(3, LINES - len(lines) - len(tail) - 1)
    kept = notices if several else notices[:room]
    return [*lines, *kept, *tail]


def _session(session: SessionSurvey, repeats: SessionRepeats | None, *, brief: bool) -> Iterator[str]:
    frames, height, width = session.shape
    minutes = f"{session.seconds / 60:.1f} min" if session.seconds >= 120 else f"{session.seconds:.0f} s"
    size = f"{frames} frames of {height} x {width} {session.dtype}"
    units = plural(len(session.units), "unit")
    yield f"{plain(session.name)}: {size} at {session.bin_rate_hz:g} Hz ({minutes}), {units}"
    for warning in session.warnings:
        yield from _wrapped("BEWARE", warning)
    if not brief:
        for key in NOTES:
            if key in session.notes:
                yield from _wrapped(key, plain(session.notes[key]), most=2)
    yield from _split(session, brief)
    yield from _rates(session)
    yield from _filters(session)
    yield from _over_time(session)
    if repeats is not None:
        yield from _repeats(repeats)
    if not brief:
        yield from _units(session)


def _split(session: SessionSurvey, brief: bool) -> Iterator[str]:
    total = session.shape[0]
    shares = ", ".join(f"{name} {100 * session.frames[name] / total:.0f}" for name in session.frames)
    yield _line("split, %", f"{shares}; {session.scored['test']} test bins scored")
    if not brief:
        yield _line("", session.bar[: WIDTH - 12])
    recurs = f"{percent(session.repeated / total)} of all frames were shown before"
    test = max(1, session.frames["test"])
    yield _line("recurring", f"{recurs}, {percent(session.in_train / test)} of test is in train")


def _rates(session: SessionSurvey) -> Iterator[str]:
    rates = sorted(unit.rate_hz for unit in session.units)
    middle = number(rates[len(rates) // 2], 1)
    left = [unit for unit in session.units if unit.excluded]
    yield _line("rates", f"median {middle} Hz, {number(rates[0], 1)} to {number(rates[-1], 1)}; {len(left)} left out")
    reasons: dict[str, list[int]] = {}
    for unit in left:
        reasons.setdefault(unit.excluded, []).append(unit.unit)
    for reason, units in list(reasons.items())[:3]:
        named = ", ".join(map(str, units[:12])) + " ..." * (len(units) > 12)
        yield from _wrapped("left out", f"{named}: {reason}", most=2)
    yield _line("over time", " ".join(number(rate, 1) for rate in session.rates_hz) + " Hz")


def _filters(session: SessionSurvey) -> Iterator[str]:
    """How many units have a clear filter, of which sign, and how late."""
    clear = [unit for unit in session.units if unit.lag is not None]
    signs = f"{sum(unit.sign > 0 for unit in clear)} ON (+), {sum(unit.sign < 0 for unit in clear)} OFF (-)"
    text = f"{signs}, {len(session.units) - len(clear)} not clear"
    if clear:
        lags = sorted(unit.lag for unit in clear if unit.lag is not None)
        middle = lags[len(lags) // 2]
        text += f"; peak {middle} frames back ({1000 * middle / session.bin_rate_hz:.0f} ms), {lags[0]} to {lags[-1]}"
    yield _line("STA", text)


def _over_time(session: SessionSurvey) -> Iterator[str]:
    """Score of the quick GLM and best shift, block by block, one beneath the other."""
    found = session.alignment
    if found is None:
        return
    blocks = f"{len(found.scores)} blocks of time"
    yield _line("quick GLM", f"bits/spike of {plural(found.units, 'unit')} in {blocks}, and the best shift")
    yield _line("score", "".join(f"{number(score, 2):>5}" for score in found.scores))
    yield _line("shift", "".join(f"{shift:>+5d}" if shift else "    0" for shift in found.shifts))


def _repeats(repeats: SessionRepeats) -> Iterator[str]:
    source = "repeats.npy" if repeats.source == "repeats.npy" else "the test split"
    yield _line("repeats", f"{repeats.showings} showings of {repeats.bins} bins, in {source}")
    explainable, ceiling = repeats.mean.explainable, repeats.mean.ceiling
    if explainable is not None and ceiling is not None:
        bounds = f" [{100 * (explainable.low or 0):.1f}, {100 * (explainable.high or 0):.1f}]"
        clear = f"{repeats.clear} of {plural(len(repeats.units), 'unit')}"
        yield _line("explainable", f"{percent(explainable.value)}{bounds} of the variance of {clear}")
        yield _line("ceiling", f"{number(ceiling.value, 2)} bits/spike: the average over the other showings")
    else:
        yield _line("explainable", "no unit's explainable variance is clear of zero")


def _units(session: SessionSurvey) -> Iterator[str]:
    """The units with most spikes."""
    yield _line("unit", f"{'':4} {'Hz':>7} {'spikes':>8} {'in test':>8} {'STA peak':>15}")
    most = sorted(session.units, key=lambda unit: -unit.spikes)[:MOST_UNITS]
    for unit in most:
        counts = f"{unit.rate_hz:>7.2f} {unit.spikes:>8} {unit.test_spikes:>8}"
        yield _line("", f"{unit.unit:>4} {counts} {_peak(unit, session):>15}")
    if len(session.units) > len(most):
        yield _line("", f"and {len(session.units) - len(most)} more (--format json)")


def _peak(unit: UnitSurvey, session: SessionSurvey) -> str:
    if unit.lag is None:
        return "-"
    return f"{'+' if unit.sign > 0 else '-'} {unit.lag} ({1000 * unit.lag / session.bin_rate_hz:.0f} ms)"


def _line(label: str, text: str) -> str:
    return f"{label:<12}{text}"


def _wrapped(label: str, text: str, most: int = 4) -> list[str]:
    """A sentence over several lines; cut after `most`."""
    parts = textwrap.wrap(text, WIDTH - 12, max_lines=most, placeholder=" ...") or [""]
    return [_line(label if not index else "", part) for index, part in enumerate(parts)]
