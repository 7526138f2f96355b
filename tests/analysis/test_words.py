"""How numbers are written."""

import pytest

from ablate.analysis.words import count


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (64, "64"),
        (2316, "2316"),
        (9_999, "9999"),
        (12_345, "12.3 k"),
        (999_499, "999 k"),
        (999_936, "1 M"),  # `1e+03 k` stood in a table
        (-999_936, "-1 M"),
        (7_210_000, "7.21 M"),
        (999_700_000, "1 G"),
        (2e15, "2e+03 T"),
        (None, "-"),
    ],
)
def test_a_count_has_three_digits_and_the_unit_that_they_fit(value, written):
    assert count(value) == written
