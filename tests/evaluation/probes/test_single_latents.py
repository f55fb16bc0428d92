from types import SimpleNamespace

import pytest
import torch
from stand_ins import subject

from regen.config.probes import SingleLatents
from regen.evaluation.probes.single_latents import PROXIES, box, luminance, ranges, single_latents, symmetric_changes

SIZE = 20


def face(z: torch.Tensor) -> torch.Tensor:
    """Return faces (N, 3, 20, 20): z1 is the luminance of the middle, z2 the left half's, z3 > 1 puts hair beside the chin."""
    images = torch.full((len(z), 3, SIZE, SIZE), 0.5)
    images[:, :, 10:14, 7:13] += 0.1 * z[:, 1, None, None, None]
    images[:, :, 15:17, :10] += 0.05 * z[:, 2, None, None, None]
    images[z[:, 3] > 1, :, 12:, :6] = 0.0
    return images


MODEL = SimpleNamespace(images=face)


def test_luminance_and_boxes() -> None:
    colours = torch.eye(3)[:, :, None, None]
    assert luminance(colours).flatten().tolist() == pytest.approx([0.299, 0.587, 0.114])
    values = torch.arange(100.0).view(1, 10, 10)
    assert box(values, (0.2, 0.4, 0.5, 0.7)).flatten().tolist() == [25, 26, 35, 36]


def test_proxies_of_images_made_by_hand() -> None:
    values = torch.full((2, SIZE, SIZE), 0.5)
    values[1, 6:18, :10] = 0.6
    values[1, 12:19, 1:3] = 0.1
    found = {name: proxy(values).tolist() for name, proxy in PROXIES.items()}
    # In 12 rows 10 of 20 columns differ by 0.1, and again mirrored; 6 of these rows have 2 columns at 0.1 against 0.5.
    assert found["asymmetry"] == pytest.approx([0, (12 * 10 * 0.1 + 6 * 2 * (0.4 - 0.1)) * 2 / (12 * 20)])
    assert found["skin_luminance"] == pytest.approx([0.5, (2 * 0.6 + 2 * 0.5) / 4])
    # 7 rows by 4 columns on either side, 14 dark.
    assert found["dark_beside_face"] == pytest.approx([0, 14 / 56])


def test_ranges_along_single_dimensions_are_what_was_put_there() -> None:
    found = {name: values.tolist() for name, values in ranges(MODEL, torch.eye(5), 7).items()}
    # 0.1 * 6 in the middle; 0.05 * 3 at the end over 2 of 12 rows, and 0 in the middle of the way.
    assert found["skin_luminance"] == pytest.approx([0, 0.6, 0, 0, 0], abs=1e-6)
    assert found["asymmetry"][2] == pytest.approx(0.15 * 2 / 12) and found["asymmetry"][0] == found["asymmetry"][4] == 0
    assert found["dark_beside_face"] == pytest.approx([0, 0, 0, 0.5, 0])


def test_the_dimensions_that_count_stand_out_of_random_directions() -> None:
    model = SimpleNamespace(images=face, latents=lambda count: torch.zeros(count, 30))
    found = single_latents(SingleLatents(random_directions=50, points=7), [subject(model=model)], 0)
    assert (found["dimensions"], found["random_directions"], found["reach"]) == (30, 50, 3)
    rows = {row["proxy"]: row for row in found["rows"]}
    assert list(rows) == ["asymmetry", "skin_luminance", "dark_beside_face"]
    skin = rows["skin_luminance"]
    assert (skin["dimensions"], skin["counted"], skin["largest_dimension"]) == ([1], 1, 1)
    assert skin["largest"] == pytest.approx(0.6, abs=1e-5)
    assert skin["threshold"] == pytest.approx(skin["random_mean"] + 2 * skin["random_standard_deviation"])
    # A random unit vector's entry is about 1 / sqrt(30) long: sqrt(2 / pi) of that on average.
    assert skin["random_mean"] == pytest.approx(0.6 * (2 / 3.1416 / 30) ** 0.5, rel=0.25)
    assert rows["dark_beside_face"]["dimensions"] == rows["asymmetry"]["dimensions"] == [3]
    # The third dimension moves hair and asymmetry together.
    assert found["hair_and_pose"] == [3] and found["pose_alone"] == []
    # Most directions never reach the hair.
    assert rows["dark_beside_face"]["random_mean"] < 0.25 and rows["dark_beside_face"]["share_of_random"] < 0.2


def turned(z: torch.Tensor) -> torch.Tensor:
    """Return faces (N, 3, 20, 20): z0 makes the left half brighter and the right half darker, z1 makes both brighter."""
    sides = torch.cat([torch.ones(10), -torch.ones(10)])
    images = 0.5 + 0.05 * z[:, 0, None, None] * sides + 0.05 * z[:, 1, None, None]
    return images[:, None].expand(-1, 3, SIZE, -1)


def test_a_head_that_turns_keeps_what_it_has_in_common_with_its_mirror_image() -> None:
    model = SimpleNamespace(images=lambda z: turned(z.expand(-1, max(2, z.shape[1]))), latents=lambda count: torch.zeros(count, 10))
    changes = symmetric_changes(model, torch.eye(10)[:2], 3).tolist()
    assert changes == pytest.approx([0, 0.05 * 6], abs=1e-6)
    found = single_latents(SingleLatents(random_directions=50, points=3), [subject(model=model)], 0)
    assert (found["pose_alone"], found["hair_and_pose"]) == ([0], [])
