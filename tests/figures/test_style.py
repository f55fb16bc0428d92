"""Files of figures: the pixels that matplotlib draws, in no more channels than they have colours."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from regen.figures.style import BLUE, apply_style, save


@pytest.mark.parametrize(("colour", "mode"), [("black", "L"), ("0.4", "L"), (BLUE, "RGB")])
def test_a_file_has_the_pixels_that_were_drawn(colour: str, mode: str, tmp_path: Path) -> None:
    apply_style()
    figure = Figure(figsize=(2, 1.5))
    figure.add_subplot().plot([0, 1, 0.5], color=colour)
    save(figure, tmp_path / "line.png")
    plain = BytesIO()
    figure.savefig(plain, format="png")

    with Image.open(tmp_path / "line.png") as saved, Image.open(plain) as drawn:
        assert saved.mode == mode
        assert np.array_equal(np.asarray(saved.convert("RGB")), np.asarray(drawn.convert("RGB")))
        assert saved.info["dpi"] == pytest.approx((110, 110), rel=1e-3)
    assert (tmp_path / "line.png").stat().st_size < len(plain.getvalue())
    assert [path.name for path in tmp_path.iterdir()] == ["line.png"]
