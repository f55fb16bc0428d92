"""Codes and their mixture: what is drawn is what was computed."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from regen.figures.pictures.codes import code_plane
from regen.figures.style import CLASSES

COVARIANCES = [
    # Correlated either way, and axis-aligned with the larger variance first or second.
    [[3.0, 1.0], [1.0, 2.0]],
    [[1.0, -0.9], [-0.9, 4.0]],
    [[2.0, 0.0], [0.0, 0.5]],
    [[0.25, 0.0], [0.0, 9.0]],
]
MEANS = [[1.0, -2.0], [0.0, 0.0], [5.0, 5.0], [-3.0, 1.0]]
CODES = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]], dtype=torch.float64)


def plane(labels: torch.Tensor) -> Figure:
    mixture = SimpleNamespace(means=torch.tensor(MEANS).double(), covariances=torch.tensor(COVARIANCES).double())
    return code_plane(CODES, labels, mixture)


def ellipses(component: int) -> list[Ellipse]:
    """Return the ellipses of one and two standard deviations of a component."""
    every = [patch for patch in plane(torch.zeros(4, dtype=torch.int64)).axes[0].patches if isinstance(patch, Ellipse)]
    assert len(every) == 2 * len(MEANS)
    return every[2 * component : 2 * component + 2]


@pytest.mark.parametrize("component", range(4))
def test_axes_of_an_ellipse_are_eigenvectors_as_long_as_standard_deviations(component: int) -> None:
    covariance = np.array(COVARIANCES[component])
    values, vectors = np.linalg.eig(covariance)
    for deviations, ellipse in enumerate(ellipses(component), 1):
        assert ellipse.center == pytest.approx(MEANS[component])
        assert sorted([ellipse.width, ellipse.height]) == pytest.approx(sorted(2 * deviations * np.sqrt(values)))
        width_axis = np.array([np.cos(np.radians(ellipse.angle)), np.sin(np.radians(ellipse.angle))])
        eigenvector = vectors[:, int(np.argmin(abs(2 * deviations * np.sqrt(values) - ellipse.width)))]
        assert abs(width_axis @ eigenvector) == pytest.approx(1)


@pytest.mark.parametrize("component", range(4))
def test_an_ellipse_is_where_the_mahalanobis_distance_is_one_or_two(component: int) -> None:
    precision = np.linalg.inv(np.array(COVARIANCES[component]))
    turns = np.linspace(0, 2 * np.pi, 12)
    for deviations, ellipse in enumerate(ellipses(component), 1):
        points = ellipse.get_patch_transform().transform(np.stack([np.cos(turns), np.sin(turns)], axis=1)) - MEANS[component]
        assert np.sqrt(np.einsum("ni,ij,nj->n", points, precision, points)) == pytest.approx(deviations)
        assert not ellipse.get_fill()


def test_codes_have_the_colour_of_their_class() -> None:
    axes = plane(torch.tensor([3, 0, 3, 9])).axes[0]
    found = {one.get_label(): one for one in axes.collections if isinstance(one, PathCollection)}

    assert {label: np.asarray(one.get_offsets()).tolist() for label, one in found.items()} == {
        "0": [[2, 3]],
        "3": [[0, 1], [4, 5]],
        "9": [[6, 7]],
    }
    assert all(tuple(one.get_facecolor()[0]) == to_rgba(CLASSES[int(label)]) for label, one in found.items())
    legend = axes.get_legend()
    assert legend is not None and [text.get_text() for text in legend.get_texts()] == ["0", "3", "9"]
    assert len(set(CLASSES)) == 10
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("code 1", "code 2")


@pytest.mark.parametrize("factors", [0, 5])
def test_codes_without_classes_are_all_drawn_in_one_colour(factors: int) -> None:
    axes = plane(torch.zeros(4, factors)).axes[0]
    (points,) = [one for one in axes.collections if isinstance(one, PathCollection)]

    assert np.asarray(points.get_offsets()).tolist() == CODES.tolist()
    assert len(np.unique(points.get_facecolor(), axis=0)) == 1 and axes.get_legend() is None
