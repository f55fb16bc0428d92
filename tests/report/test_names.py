"""Numbers with the digits that their error leaves, and abbreviations with their meaning."""

import pytest

from regen.report.names import explained, rounded, spread


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (172.36, 10.0, "172"),
        (172.36, 20.0, "170"),
        (172.36, 0.5, "172.4"),
        (0.6952, 0.0179, "0.695"),
        (1.234, 0.3, "1.2"),
        (1234.6, 4.0, "1,235"),
        (-0.4, 0.05, "-0.40"),
        (5.0, 0.0, "5"),
        (0.00043, 0.0, "0.00043"),
        (0.00000312, 0.0, "3.1×10⁻⁶"),
        (-0.00004, 0.0001, "-4.0×10⁻⁵"),
        (0.0042, 0.0001, "0.0042"),
        (-0.0004, 0.05, "0.00"),
        (float("inf"), 1.0, "not finite"),
    ],
)
def test_a_number_has_the_digits_that_its_error_leaves(value: float, error: float, text: str) -> None:
    assert rounded(value, error) == text


def test_seeds_give_a_mean_and_a_range() -> None:
    assert spread([51.2, 65.4]) == ("58", "51 to 65")
    assert spread([11.06]) == ("11", "")


def test_an_abbreviation_is_explained_once_and_text_is_escaped() -> None:
    made = explained("The VAE's ELBO, not a < b: VAEs and GANs")
    assert made.count("<abbr") == 3 and made.count('title="variational auto-encoder"') == 1
    assert "a &lt; b" in made and "</abbr>s" in made
