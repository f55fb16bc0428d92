"""Batches: every image once with its own label, in an order that the seed decides; and files that hold no images."""

from pathlib import Path

import pytest
import torch

from regen.common.errors import UserError
from regen.common.files import write_tensors
from regen.images.batches import batches, images_of
from regen.images.images import Images


def numbered(count: int) -> Images:
    """Return images whose value is their label."""
    numbers = torch.arange(count)
    return Images(numbers.to(torch.uint8).view(count, 1, 1, 1).expand(count, 1, 2, 2), numbers)


def test_without_a_generator_the_order_is_that_of_the_images() -> None:
    made = list(batches(numbered(10), 4))
    assert [labels.tolist() for _, labels in made] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert torch.equal(torch.cat([x for x, _ in made])[:, 0, 0, 0], torch.arange(10) / 255)


def test_with_a_generator_every_image_comes_once_with_its_label_in_a_fresh_order() -> None:
    generator = torch.Generator().manual_seed(5)
    visits = [list(batches(numbered(10), 4, generator)) for _ in range(2)]
    orders = [torch.cat([labels for _, labels in visit]).tolist() for visit in visits]

    assert [[len(labels) for _, labels in visit] for visit in visits] == [[4, 4, 2]] * 2
    assert [sorted(order) for order in orders] == [list(range(10))] * 2 and orders[0] != orders[1]
    for x, labels in (batch for visit in visits for batch in visit):
        assert torch.equal(x[:, 0, 1, 1], labels / 255)
    again = [labels.tolist() for _, labels in batches(numbered(10), 4, torch.Generator().manual_seed(5))]
    assert again == [labels.tolist() for _, labels in visits[0]]


ONE = {"images": torch.zeros(1, 1, 2, 2, dtype=torch.uint8), "labels": torch.zeros(1)}


@pytest.mark.parametrize(
    "tensors",
    [
        {"images": ONE["images"][:0], "labels": ONE["labels"][:0]},
        {"images": ONE["images"]},
        {"labels": ONE["labels"]},
        {"other": ONE["labels"]},
    ],
    ids=["empty", "no labels", "no images", "other"],
)
def test_a_file_without_images_and_labels_is_one_line(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    write_tensors(tmp_path / "train.safetensors", tensors)
    with pytest.raises(UserError, match=r"train.safetensors: expected (at least one image|uint8 images)[^\n]*; [^\n]*dvc repro[^\n]*$"):
        images_of(tmp_path, "train")
