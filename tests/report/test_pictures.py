"""Pieces cut out of pictures are those pixels; a misread image is what numpy reads."""

from pathlib import Path

import numpy as np
import pytest
from made_up import GAN, PLANE, TILES
from PIL import Image

from regen.common.errors import UserError
from regen.report.pictures import Pictures
from regen.report.reshape import misread, reshaped


@pytest.fixture
def pictures(root: Path) -> Pictures:
    return Pictures(root, "quick", root / "reports/quick/site")


def test_tiles_are_where_their_grid_says(pictures: Pictures) -> None:
    picture = pictures.find(PLANE, "manifold")
    assert picture is not None and (picture.width, picture.height) == (44, 34)
    assert picture.source == f"../figures/{PLANE}/manifold.png"
    tiles = pictures.tiles(picture, picture.grids[0])
    assert [tuple(tile[5, 5]) for tile in tiles] == [colour for row in TILES for colour in row]
    assert picture.grids[0].box == (4, 6, 38, 28)


def test_a_thumbnail_is_the_last_moment_without_loss(pictures: Pictures, root: Path) -> None:
    thumbnail = pictures.thumbnail(GAN, "the GAN")
    assert thumbnail is not None and (thumbnail.width, thumbnail.height, thumbnail.description) == (32, 32, "Samples of the GAN")
    with Image.open(root / "reports/quick/site" / thumbnail.source) as image:
        assert np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0).tolist() == [[90, 10, 10]]


@pytest.mark.parametrize("colours", [2, 200, 3000])
def test_saving_loses_no_pixel_however_many_colours_there_are(colours: int, pictures: Pictures, root: Path) -> None:
    generator = np.random.default_rng(0)
    palette = generator.integers(0, 256, (colours, 3), dtype=np.uint8)
    pixels = palette[generator.integers(0, colours, (60, 70))]
    pictures.save(pixels, "x.png", "noise")
    with Image.open(root / "reports/quick/site/img/x.png") as image:
        assert (np.asarray(image.convert("RGB")) == pixels).all()


def test_an_image_read_with_the_wrong_axes(pictures: Pictures, root: Path) -> None:
    stored = np.arange(2 * 2 * 3, dtype=np.uint8).reshape(3, 2, 2)  # three planes, as the network gives them
    right = stored.transpose(1, 2, 0)
    # The twelve values in the order of memory, three at a time.
    assert misread(right).tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
    both = reshaped(pictures, "vu4a-gan-mnist")
    assert [caption for _, caption in both] == ["right axis order", "wrong axis order"]
    with Image.open(root / "reports/quick/site" / both[1][0].source) as image:
        wrong = np.asarray(image.convert("RGB"))
    tile = np.broadcast_to(np.array([90, 10, 10], dtype=np.uint8), (32, 32, 3))
    assert (wrong == np.frombuffer(np.ascontiguousarray(tile.transpose(2, 0, 1)).tobytes(), np.uint8).reshape(32, 32, 3)).all()


def test_a_picture_that_the_index_lists_and_that_is_missing_ends_in_one_line(pictures: Pictures, root: Path) -> None:
    (root / f"reports/quick/figures/{PLANE}/manifold.png").unlink()
    with pytest.raises(UserError, match=f"{PLANE}/index.json: expected the index of pictures beside it"):
        pictures.of(PLANE)
