"""What a perfect observer of `coincidence` scores, in closed form.

    a = Phi(d'/2)                                          the evoked response is seen
    full model        (1 - p) (a (1 - eps) + (1 - a) eps) + p / 2
    EEG alone, video alone, no order, wrong interval       1/2
    pooled video      a m + (1 - a) (1 - m),  m = E max(q, 1 - q) over the number of events in the clip

eps: event error, p: fraction of intervals without video, i: intervals.
"""

import numpy as np


def response_accuracy(d_prime: float) -> float:
    """Phi(d'/2): how often a matched filter knows whether there was an evoked response."""
    from scipy.special import ndtr  # a fifth of a second that every command would wait for

    return float(ndtr(d_prime / 2))


def full_accuracy(d_prime: float, event_error: float = 0.0, absent: float = 0.0) -> float:
    """Accuracy of the label from EEG and the video of the same interval."""
    a = response_accuracy(d_prime)
    return (1 - absent) * (a * (1 - event_error) + (1 - a) * event_error) + absent / 2


def pooled_accuracy(d_prime: float, intervals: int, event_error: float = 0.0, absent: float = 0.0) -> float:
    """Accuracy of the label from EEG and how many events the whole clip holds, without knowing where."""
    from scipy import stats  # most of a second that every command would wait for

    best = 0.0
    for present in range(intervals + 1):
        for events in range(present + 1):
            chance = stats.binom.pmf(present, intervals, 1 - absent) * stats.binom.pmf(events, present, 0.5)
            seen = events * (1 - event_error) + (present - events) * event_error
            q = (seen + (intervals - present) / 2) / intervals
            best += float(chance) * max(q, 1 - q)
    a = response_accuracy(d_prime)
    return a * best + (1 - a) * (1 - best)


def label_log_probability(
    response_llr: np.ndarray, shown: np.ndarray, present: np.ndarray, event_error: float
) -> np.ndarray:
    """True log-probability (..., 2) of the label, given the response's log-likelihood ratio and the event shown."""
    response = 1 / (1 + np.exp(-response_llr))
    event = np.where(present, np.where(shown == 1, 1 - event_error, event_error), 0.5)
    one = response * (1 - event) + (1 - response) * event
    return np.log(np.maximum(np.stack([1 - one, one], axis=-1), 1e-300))
