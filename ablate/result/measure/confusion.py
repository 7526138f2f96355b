"""What a matrix of labels and guesses tells beside bits: accuracy, balanced accuracy, macro F1; and calibration.

    M[k, j]            labels of class k that were guessed to be j
    accuracy           sum_k M[k, k] / sum M
    balanced accuracy  mean over the classes that occur of the recall M[k, k] / sum_j M[k, j]
    macro F1           mean over the classes that occur or were guessed of 2 M[k, k] / (sum_j M[k, j] + sum_j M[j, k])
    calibration error  sum_b n_b / n |accuracy of b - mean confidence of b|, b the bins of the guess's probability

The first three as scikit-learn defines them (`balanced_accuracy_score`, `f1_score(average="macro")`); always to guess
the most frequent of K classes gives a balanced accuracy of 1 / K. The last is the expected calibration error over
`BINS` bins of equal width (Guo et al. 2017, "On calibration of modern neural networks", equation 5).
"""

import numpy as np
from numpy.typing import NDArray

BINS = 15
Matrix = NDArray[np.int64]


def confusion(labels: NDArray[np.int64], guesses: NDArray[np.int64], classes: int) -> Matrix:
    """(classes, classes) counts: the label is the row, the guess the column."""
    cells = np.bincount(labels * classes + guesses, minlength=classes**2)
    return cells.reshape(classes, classes).astype(np.int64)


def accuracy(matrix: Matrix) -> float:
    """Zero where nothing is labelled."""
    return float(np.trace(matrix) / max(matrix.sum(), 1))


def balanced_accuracy(matrix: Matrix) -> float:
    """Mean recall of the classes that occur; zero where nothing is labelled."""
    seen = matrix.sum(axis=1)
    recall = np.diag(matrix)[seen > 0] / seen[seen > 0]
    return float(recall.mean()) if len(recall) else 0.0


def macro_f1(matrix: Matrix) -> float:
    """Mean F1 of the classes that occur or were guessed; zero where nothing is labelled."""
    both = matrix.sum(axis=1) + matrix.sum(axis=0)
    f1 = 2 * np.diag(matrix)[both > 0] / both[both > 0]
    return float(f1.mean()) if len(f1) else 0.0


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS) -> float:
    """confidence: probability of each guess. right: whether it was. Bins are open below and closed above."""
    if not len(confidence):
        return 0.0
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    excess = np.bincount(place, weights=confidence - right, minlength=bins)
    return float(np.abs(excess).sum() / len(confidence))
