"""The columns that answer: which variant, what it changes, its score, its gain and what is made of it."""

from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis
from ablate.analysis.words import (
    ABSENT,
    expected_range,
    number,
    p_value,
    percent,
    percent_with_interval,
    signed,
    signed_percent,
    with_interval,
)
from ablate.report.columns.column import Cell, Column, Fields, Form, ends, one
from ablate.report.columns.labels import labels
from ablate.report.text import cut, plain


def identity() -> tuple[Column, ...]:
    return (
        one(
            "rank",
            "#",
            lambda row: ABSENT if row.rank is None else str(row.rank),
            lambda row: {"rank": row.rank},
            right=True,
            kept=True,
        ),
        Column(
            "variant",
            (Form("variant", lambda row: plain(row.name)), *(Form("variant", _name_within(n)) for n in (22, 16))),
            _names,
            kept=True,
        ),
        one(
            "changes",
            "what it changes",
            _changes,
            lambda row: {"changes": row.changes, "also_changed": list(row.also_changed)},
            min_width=18,
        ),
    )


def _names(row: VariantAnalysis) -> Fields:
    return {
        "variant": row.name,
        "role": row.role,
        "title": row.title,
        "patches": list(row.patches),
        "aliases": list(row.aliases),
        "strategies": list(row.strategies),
    }


def _name_within(width: int) -> Cell:
    return lambda row: cut(plain(row.name), width)


def _changes(row: VariantAnalysis) -> str:
    if row.changes:
        return plain(row.changes)
    return {"control": "nothing (control)"}.get(row.role, plain(row.title))


# ------------------------------------------------------------------
def score(analysis: StudyAnalysis) -> tuple[Column, ...]:
    unit = analysis.unit
    return (
        Column(
            "score",
            (
                Form(f"{unit}, 95 %", lambda row: _estimate(row, long=True)),
                Form(unit, lambda row: _estimate(row, long=False)),
                Form(unit, lambda row: number(row.score.mean if row.score else None)),
            ),
            _score_fields,
            kept=True,
        ),
        *labels(),
        *_gain(analysis),
    )


def _estimate(row: VariantAnalysis, *, long: bool) -> str:
    if row.score is None:
        return ABSENT
    if long or row.score.interval is None:
        return with_interval(row.score.mean, row.score.interval)
    half = (row.score.interval.high - row.score.interval.low) / 2
    return f"{number(row.score.mean)} ±{number(half)}"


def _score_fields(row: VariantAnalysis) -> Fields:
    score = row.score
    return {
        "score": None if score is None else score.mean,
        **ends("score", None if score is None else score.interval),
        "score_weighted": row.weighted,
        "score_pooled": row.pooled,
        "units_excluded": row.excluded,
    }


def _gain(analysis: StudyAnalysis) -> tuple[Column, ...]:
    """In per cent with the absolute gain beside it; absolute alone where the baseline is no denominator."""
    absolute = (
        Form(f"gain in {analysis.unit}", _absolute),
        Form("gain", lambda row: "" if row.gain is None else signed(row.gain.mean)),
    )
    if not any(row.gain is not None and row.gain.relative is not None for row in analysis.rows):
        forms = (Form("gain, 95 %", _absolute), absolute[1])
        return (Column("gain", forms, lambda row: {**_absolute_fields(row), **_relative_fields(row)}, kept=True),)
    return (
        Column("gain", (Form("gain, 95 %", _relative), Form("gain", _relative_short)), _relative_fields, kept=True),
        Column("gain_absolute", absolute, _absolute_fields),
    )


def _absolute(row: VariantAnalysis) -> str:
    return "" if row.gain is None else with_interval(row.gain.mean, row.gain.interval, sign=True)


def _relative(row: VariantAnalysis) -> str:
    return "" if row.gain is None else percent_with_interval(row.gain.relative, row.gain.relative_interval)


def _relative_short(row: VariantAnalysis) -> str:
    return "" if row.gain is None else signed_percent(row.gain.relative)


def _absolute_fields(row: VariantAnalysis) -> Fields:
    gain = row.gain
    return {
        "gain": None if gain is None else gain.mean,
        **ends("gain", None if gain is None else gain.interval),
        "pairing_correlation": None if gain is None else gain.correlation,
        "pairing_variance_ratio": None if gain is None else gain.variance_ratio,
        "seeds_needed": None if gain is None else gain.seeds_needed,
        "smallest_detectable_gain": None if gain is None else gain.detectable,
    }


def _relative_fields(row: VariantAnalysis) -> Fields:
    gain = row.gain
    return {
        "gain_relative": None if gain is None else gain.relative,
        **ends("gain_relative", None if gain is None else gain.relative_interval),
    }


# ------------------------------------------------------------------
def judgement(replicate: str) -> tuple[Column, ...]:
    return (
        one("p_holm", "Holm p", lambda row: p_value(row.gain.p_holm) if row.gain else "", _p_fields, right=True),
        Column(
            "expected",
            (Form("expected", _expected), Form("expected", _outcome)),
            _expected_fields,
        ),
        Column(
            "verdict",
            (Form("verdict", _verdict_long), Form("verdict", verdict_words), Form("verdict", _verdict_short)),
            lambda row: {"verdict": row.verdict, "verdict_note": row.verdict_note},
            kept=True,
        ),
        one(
            "gap",
            "gap",
            lambda row: "" if row.gap.share is None else percent(row.gap.share, 0),
            lambda row: {
                "gap_closed": row.gap.share,
                **ends("gap_closed", row.gap.interval),
                "gap_blank": row.gap.blank,
            },
            right=True,
        ),
        one(
            "seeds",
            f"{replicate}s",
            lambda row: row.finite,
            lambda row: {
                "seeds_done": row.seeds_done,
                "seeds_planned": row.seeds_planned,
                "seeds_barred": row.seeds_barred,
                "warnings": list(row.lints),
            },
            right=True,
        ),
    )


def _p_fields(row: VariantAnalysis) -> Fields:
    gain = row.gain
    return {
        "p": None if gain is None else gain.p,
        "p_holm": None if gain is None else gain.p_holm,
        "p_max_t": None if gain is None else gain.p_max_t,
    }


def _expected_fields(row: VariantAnalysis) -> Fields:
    prediction = row.prediction
    return {
        "expected_low": None if prediction is None else prediction.expected[0],
        "expected_high": None if prediction is None else prediction.expected[1],
        "expectation": None if prediction is None else prediction.outcome,
    }


def _expected(row: VariantAnalysis) -> str:
    """`+3..5 %, below`: what its author expected, and how the gain lies to it."""
    prediction = row.prediction
    if prediction is None:
        return ""
    fared = "" if row.gain is None else f", {prediction.outcome}"
    return f"{expected_range(prediction.expected)}{fared}"


def _outcome(row: VariantAnalysis) -> str:
    return "" if row.prediction is None or row.gain is None else row.prediction.outcome


def verdict_words(row: VariantAnalysis) -> str:
    """`helps, early`; of a row that no seed was trained of, that."""
    if row.verdict_note == "not run yet":
        return row.verdict_note
    return f"{row.verdict}, early" if row.early else row.verdict


def _verdict_short(row: VariantAnalysis) -> str:
    return verdict_words(row).removesuffix(", early")


def _verdict_long(row: VariantAnalysis) -> str:
    words = verdict_words(row)
    if words == row.verdict_note:
        return words
    note = row.verdict_note.removeprefix("early").removeprefix(", ").replace("would need", "needs")
    return f"{words} ({note})" if note and len(note) <= 18 else words
