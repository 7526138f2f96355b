"""Seed noise of real trainings: final validation losses of one configuration over its seeds, as published.

They come from the language-model speed runs that repeat a configuration tens of times to tell a record from luck. Each
table passes Shapiro's test for a normal distribution. What is used is the shape: residuals, standardised by table.
"""

import numpy as np

PUBLIC: dict[str, tuple[float, ...]] = {
    # github.com/snimu/modded-nanogpt-experiments, experiments/00003: baseline, 28 runs
    "snimu 00003, baseline": (
        2.919321, 2.919348, 2.920103, 2.920455, 2.91936, 2.919165, 2.920336, 2.919816, 2.919747, 2.918579, 2.920533,
        2.920729, 2.918076, 2.919458, 2.920759, 2.919738, 2.92073, 2.919327, 2.919639, 2.91942, 2.920585, 2.920464,
        2.918828, 2.919279, 2.920514, 2.919351, 2.918162, 2.920809,
    ),
    # the same: record, 37 runs
    "snimu 00003, record": (
        2.919612, 2.919458, 2.918941, 2.917664, 2.91856, 2.919706, 2.919218, 2.918082, 2.919345, 2.920486, 2.919293,
        2.917286, 2.921162, 2.919861, 2.917587, 2.919488, 2.919955, 2.919172, 2.919245, 2.918839, 2.918381, 2.919301,
        2.917944, 2.919178, 2.918395, 2.920141, 2.918754, 2.918432, 2.919958, 2.91978, 2.919916, 2.919711, 2.918025,
        2.919342, 2.920571, 2.917387, 2.919093,
    ),
    # github.com/KellerJordan/modded-nanogpt, pull request 77: 30 runs of its README
    "modded-nanogpt, pull request 77": (
        3.2806, 3.2771, 3.2829, 3.2813, 3.2789, 3.2774, 3.2798, 3.2759, 3.2794, 3.2775, 3.2768, 3.2793, 3.2838, 3.2779,
        3.2782, 3.277, 3.2775, 3.2784, 3.2782, 3.2776, 3.2814, 3.2785, 3.2793, 3.2797, 3.2782, 3.2789, 3.2759, 3.2803,
        3.278, 3.2782,
    ),
    # the same, pull request 321: step 2750, 20 seeds
    "modded-nanogpt, pull request 321": (
        3.27891, 3.27961, 3.27934, 3.27866, 3.27952, 3.27679, 3.27971, 3.27867, 3.27842, 3.28014, 3.27892, 3.27891,
        3.27988, 3.27946, 3.27783, 3.28001, 3.27760, 3.27847, 3.27839, 3.27788,
    ),
    # the same, pull request 276: 10 runs
    "modded-nanogpt, pull request 276": (
        3.27744, 3.27717, 3.27755, 3.27663, 3.27709, 3.27587, 3.27691, 3.27863, 3.27669, 3.27678,
    ),
}  # fmt: skip


def residuals() -> np.ndarray:
    """All tables together: each less its mean, over its standard deviation, then of mean 0 and variance 1."""
    pooled = np.concatenate([(np.array(t) - np.mean(t)) / np.std(t, ddof=1) for t in PUBLIC.values()])
    return (pooled - pooled.mean()) / pooled.std()
