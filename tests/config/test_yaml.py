"""What YAML itself would let pass."""

from pathlib import Path

import pytest

from regen.common.errors import UserError
from regen.params.resolve import read_params
from regen.params.schema import Params

ROOT = Path(__file__).parents[2]


def with_variant(folder: Path, *lines: str) -> Path:
    """Write params.yaml with these further lines at the end of the MNIST variants, where all anchors above are known."""
    text = (ROOT / "params.yaml").read_text()
    before, group, after = text.partition("\n  binarized_mnist:\n    uva3-vae-z20-bmnist:")
    assert group
    path = folder / "params.yaml"
    path.write_text("\n".join([before, *(f"    {line}" for line in lines)]) + group + after)
    return path


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text()
    path = tmp_path / "params.yaml"
    path.write_text(text.replace("seed: 0 #", "seed: 1\nseed: 0 #", 1))
    with pytest.raises(UserError, match=r"params.yaml: expected YAML, got 'the key 'seed' stands twice in [^\n]*line 4[^\n]*$"):
        read_params(path)


def test_an_anchor_that_has_a_merge_can_be_merged_again(tmp_path: Path, params: Params) -> None:
    # lab1-training, once merged with another rate, and that again with other epochs: each changes a key of the one before.
    path = with_variant(
        tmp_path,
        "first-vae-mnist: &first",
        "  <<: *uva3-vae",
        "  training: &merged {<<: *lab1-training, learning_rate: 0.5}",
        "second-vae-mnist: &second",
        "  <<: *first",
        "  training: &again {<<: *merged, learning_rate: 0.25, epochs: 60}",
        "third-vae-mnist: {<<: *second, title: Third, training: {<<: *again, epochs: 70}}",
    )
    variants = read_params(path).variants["mnist"]
    made = [variants[f"{name}-vae-mnist"] for name in ("first", "second", "third")]

    assert [(one.training.learning_rate, one.training.epochs, one.training.batch_size) for one in made] == [
        (0.5, 50, 100),
        (0.25, 60, 100),
        (0.25, 70, 100),
    ]
    assert [one.title for one in made] == ["MLP VAE, 20 latents", "MLP VAE, 20 latents", "Third"]
    # What was merged is as it was.
    for name in ("uva3-vae-z20-mnist", "lab1-vae-mnist"):
        assert variants[name] == params.variants["mnist"][name]


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        (["one-vae-mnist: {<<: *uva3-vae, title: One, title: Two}"], "title"),
        (["one-vae-mnist: &one {<<: *uva3-vae, title: One, title: Two}", "two-vae-mnist: {<<: *one, title: Three}"], "title"),
        (["one-vae-mnist: {<<: *uva3-vae, training: {<<: *lab1-training, epochs: 60, epochs: 60}}"], "epochs"),
        (["one-vae-mnist: {<<: *uva3-vae, <<: *vu4a-vae}"], "<<"),
        (["one-vae-mnist: *uva3-vae", "one-vae-mnist: *uva3-vae"], "one-vae-mnist"),
    ],
    ids=["beside a merge", "in what is merged", "inside", "merge", "variant"],
)
def test_a_key_that_stands_twice_beside_a_merge_is_still_refused(tmp_path: Path, lines: list[str], key: str) -> None:
    with pytest.raises(UserError, match=rf"params.yaml: expected YAML, got 'the key '{key}' stands twice in [^\n]*$"):
        read_params(with_variant(tmp_path, *lines))
