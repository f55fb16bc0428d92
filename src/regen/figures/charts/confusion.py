"""A classifier's confusion matrix."""

from pathlib import Path

import numpy as np

from regen.figures.charts.chart import Chart, Drawn
from regen.params.figures import ReportFigure
from regen.params.schema import ReportConfig
from regen.results import details

__all__ = ["confusion_matrix", "draw_confusion"]


def draw_confusion(config: ReportConfig, figure: ReportFigure, root: Path) -> Drawn | None:
    """Draw the confusion matrix of a classifier's first seed; None without results."""
    (name,) = figure.variants
    matrix = next((run["confusion"] for run in details(root, config, name).values() if "confusion" in run), None)
    if matrix is None:
        return None
    right, total = sum(row[index] for index, row in enumerate(matrix)), sum(map(sum, matrix))
    caption = f"Predictions of {name} on {total} test images; {right} ({right / total:.2%}) lie on the diagonal."
    return Drawn(confusion_matrix(matrix), caption, "Table of counts: a row a true class, a column a predicted class.", [name])


def confusion_matrix(matrix: list[list[int]]) -> Chart:
    """Draw counts, a row a true class, a column a predicted one; the shade is the share of the row."""
    counts = np.array(matrix)
    share = counts / counts.sum(1, keepdims=True).clip(1)
    figure = Chart(figsize=(5.2, 4.8))
    axes = figure.add_subplot()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        axes.text(column, row, str(count), ha="center", va="center", fontsize=8, color="white" if share[row, column] > 0.5 else "black")
    axes.set_xticks(range(len(counts)))
    axes.set_yticks(range(len(counts)))
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.grid(False)
    return figure
