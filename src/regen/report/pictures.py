"""The pictures that were drawn of a preset's variants: what they show, where their tiles lie, and pieces cut out of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from regen.common.errors import UserError
from regen.common.files import read_json, replacing

__all__ = ["Grid", "Picture", "Pictures", "Thumbnail"]


@dataclass(frozen=True)
class Grid:
    """Equal tiles of a picture, in its pixels from the top left."""

    title: str
    left: int
    top: int
    tile_width: int
    tile_height: int
    pitch_x: int
    pitch_y: int
    columns: int
    rows: int
    column_labels: list[str]
    row_labels: list[str]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of all tiles together."""
        right = self.left + (self.columns - 1) * self.pitch_x + self.tile_width
        return self.left, self.top, right, self.top + (self.rows - 1) * self.pitch_y + self.tile_height

    def tile(self, column: int, row: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of one tile."""
        left, top = self.left + column * self.pitch_x, self.top + row * self.pitch_y
        return left, top, left + self.tile_width, top + self.tile_height


@dataclass(frozen=True)
class Picture:
    """A PNG of reports/<preset>/figures; `source` is its address from a page of the site."""

    source: str
    path: Path
    kind: str
    title: str
    caption: str
    description: str
    width: int
    height: int
    grids: list[Grid]


@dataclass(frozen=True)
class Thumbnail:
    """A piece of a picture in a file of its own beside the pages."""

    source: str
    width: int
    height: int
    description: str


class Pictures:
    """What lies below reports/<preset>/figures; thumbnails are written below `site`/img."""

    def __init__(self, root: Path, preset: str, site: Path) -> None:
        self.folder = root / "reports" / preset / "figures"
        self.site = site
        self._of: dict[str, list[Picture]] = {}

    def of(self, variant: str) -> list[Picture]:
        """Return the pictures of a variant, in the order in which they were drawn; none where nothing was.

        Raises
        ------
        UserError
            If the index or a picture cannot be read.
        """
        if variant not in self._of:
            self._of[variant] = list(self._read(self.folder / variant))
        return self._of[variant]

    def find(self, variant: str, *kinds: str) -> Picture | None:
        """Return the first of these kinds that was drawn of a variant."""
        own = {picture.kind: picture for picture in self.of(variant)}
        return next((own[kind] for kind in kinds if kind in own), None)

    def samples(self, variant: str) -> tuple[Picture, Grid] | None:
        """Return the picture and the grid that show what a variant generates after training."""
        picture = self.find(variant, "final", "samples", "means")
        return (picture, picture.grids[-1]) if picture is not None and picture.grids else None

    def thumbnail(self, variant: str, name: str) -> Thumbnail | None:
        """Return samples of the trained variant, cut out of its pictures; None where there are none."""
        found = self.samples(variant)
        if found is None:
            return None
        picture, grid = found
        return self.cut(picture, grid, f"{variant}.png", f"Samples of {name}")

    def cut(self, picture: Picture, grid: Grid, file: str, description: str) -> Thumbnail:
        """Return all tiles of a grid as a file of their own."""
        return self.save(np.asarray(self._open(picture).crop(grid.box)), file, description)

    def tiles(self, picture: Picture, grid: Grid) -> list[np.ndarray]:
        """Return the tiles of a grid (H, W, C) in uint8, row by row."""
        image = self._open(picture).convert("RGB")
        return [np.asarray(image.crop(grid.tile(column, row))) for row in range(grid.rows) for column in range(grid.columns)]

    def save(self, pixels: np.ndarray, file: str, description: str) -> Thumbnail:
        """Write pixels (H, W) or (H, W, 3) in uint8 as a PNG in as few bytes as it takes, losslessly."""
        image = Image.fromarray(np.ascontiguousarray(pixels))
        if image.mode == "RGB" and (colours := image.getcolors(256)) is not None:
            image = image.quantize(max(len(colours), 2), dither=Image.Dither.NONE)
        path = self.site / "img" / file
        with replacing(path) as temporary:
            image.save(temporary, format="png", optimize=True)
        return Thumbnail(f"img/{file}", int(pixels.shape[1]), int(pixels.shape[0]), description)

    def _open(self, picture: Picture) -> Image.Image:
        try:
            return Image.open(picture.path)
        except OSError as error:
            raise UserError(f"{picture.path}: expected a picture, got '{error}'; delete it and run 'dvc repro'") from error

    def _read(self, folder: Path) -> Iterator[Picture]:
        index = folder / "index.json"
        for entry in read_json(index) if index.exists() else []:
            yield self._picture(folder, entry)

    def _picture(self, folder: Path, entry: dict[str, Any]) -> Picture:
        try:
            path = folder / entry["file"]
            with Image.open(path) as image:
                width, height = image.size
            return Picture(
                source=f"../{path.relative_to(self.folder.parent).as_posix()}",
                path=path,
                kind=entry["kind"],
                title=entry["title"],
                caption=entry["caption"],
                description=entry["description"],
                width=width,
                height=height,
                grids=[Grid(**grid) for grid in entry.get("grids") or []],
            )
        except (OSError, KeyError, TypeError) as error:
            raise UserError(f"{folder / 'index.json'}: expected the index of pictures beside it, got '{error}'; run 'dvc repro'") from error
