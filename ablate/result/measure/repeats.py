"""What repeats of one stimulus say of a session, and of a model's rates for it: stored with a run, read by reports."""

from collections.abc import Mapping
from typing import Literal, TypeVar

from pydantic import ValidationError, model_validator

from ablate.config import Config
from ablate.disk.read import Json


class Measure(Config):
    """A value with its 95 % interval over blocks of the stimulus' time; no interval where the blocks are too few."""

    value: float
    low: float | None = None
    high: float | None = None


class RepeatValues(Config):
    """The figures of one unit, or their means over the units whose explainable variance is clear of zero.

    What needs a model's rates is None where the stimulus of the repeats is not known, or where a unit's explainable
    variance is not positive. Formulas: `ablate.training.score.repeats`.
    """

    explainable: Measure | None = None
    """Share of the response's variance that the stimulus can explain."""
    ceiling: Measure | None = None
    """Bits/spike of the average over the other showings."""
    fev: Measure | None = None
    """Fraction of the explainable variance that the model explains."""
    cc_norm: Measure | None = None
    """Correlation with the average response, over the highest that noise allows."""
    cc_average: Measure | None = None
    """Correlation with the average response."""
    cc_single: Measure | None = None
    """Correlation with the responses of single showings."""
    bits: Measure | None = None
    """The model's bits/spike on the same bins as the ceiling."""


class RepeatedUnit(Config):
    """One unit. clear: its explainable variance is clear of zero."""

    unit: int
    clear: bool
    values: RepeatValues


class Psth(Config):
    """A stretch of the stimulus: `raster[k]` holds the bins of showing k with a spike (a bin of two spikes twice);
    average and predicted are expected spikes a bin."""

    unit: int
    raster: tuple[tuple[int, ...], ...]
    average: tuple[float, ...]
    predicted: tuple[float, ...] = ()


class SessionMeans(Config, extra="ignore"):
    """One session's repeats without its units and pictures, which take most of the time to check and which a report
    shows of one run. bins: of the stimulus, in which at least one unit counts."""

    name: str
    source: Literal["repeats.npy", "test"]
    bin_rate_hz: float
    showings: int
    bins: int
    mean: RepeatValues


class SessionRepeats(SessionMeans, extra="forbid"):
    """One session's repeats, whole."""

    units: tuple[RepeatedUnit, ...]
    psth: tuple[Psth, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _units_of_columns(cls, content: object) -> object:
        if not isinstance(content, Mapping) or not isinstance(content.get("units"), Mapping):
            return content
        columns = content["units"]
        if not all(isinstance(column, list) for column in columns.values()):
            raise ValueError("a column of the units is no list")
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        units = [
            {
                "unit": row.pop("unit", None),
                "clear": row.pop("clear", None),
                "values": {name: None if value is None else {"value": value} for name, value in row.items()},
            }
            for row in rows
        ]
        return {**content, "units": units}

    @property
    def clear(self) -> int:
        """Units that the mean is over."""
        return sum(unit.clear for unit in self.units)

    def in_columns(self) -> Json:
        """As JSON, a list a figure in place of an object a unit: a tenth of the bytes. Read back, units have their
        values to five digits and no intervals; means and pictures are as they were."""
        figures = [dict(unit.values) for unit in self.units]
        values = {name: [_five_digits(one[name]) for one in figures] for name in RepeatValues.model_fields}
        columns = {"unit": [unit.unit for unit in self.units], "clear": [unit.clear for unit in self.units], **values}
        return {**self.model_dump(mode="json", exclude={"units"}), "units": columns}


def _five_digits(measure: Measure | None) -> float | None:
    return None if measure is None else float(f"{measure.value:.5g}")


def read_repeats(content: object) -> tuple[SessionRepeats, ...]:
    """From the content of `units.json`; empty where a run has none, or where they are damaged."""
    return _sessions(content, SessionRepeats)


def read_means(content: object) -> tuple[SessionMeans, ...]:
    """The same without units and pictures, at a fifth of the time; whether these are whole is not looked at."""
    return _sessions(content, SessionMeans)


S = TypeVar("S", bound=SessionMeans)


def _sessions(content: object, kind: type[S]) -> tuple[S, ...]:
    held = content.get("repeats") if isinstance(content, dict) else None
    if not isinstance(held, list):
        return ()
    try:
        return tuple(kind.model_validate(one, strict=False) for one in held)
    except (ValidationError, RecursionError):
        return ()
