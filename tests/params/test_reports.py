"""What folders below studies/ are reports, and in which order they are shown."""

from pathlib import Path

from regen.params.reports import read_reports


def study(studies: Path, name: str, text: str = "") -> None:
    (studies / name).mkdir()
    (studies / name / "study.yaml").write_text(f"title: Of {name}\nauthor: Somebody\nabout: Digits.\n{text}")


def test_reports_come_by_their_order_and_then_by_name(tmp_path: Path) -> None:
    for name, text in {"b": "", "a": "", "d": "order: 1", "c": "order: 2"}.items():
        study(tmp_path, name, text)
    assert list(read_reports(tmp_path)) == ["d", "c", "a", "b"]


def test_title_author_and_about_are_enough(tmp_path: Path) -> None:
    study(tmp_path, "pets")
    pets = read_reports(tmp_path)["pets"]
    assert (pets.title, pets.year, pets.notes, pets.figures) == ("Of pets", None, [], [])


def test_what_a_branch_or_an_editor_leaves_behind_is_no_report(tmp_path: Path) -> None:
    study(tmp_path, "pets")
    for left in ("gone/__pycache__/checks.cpython-311.pyc", "__pycache__/x.pyc", ".ipynb_checkpoints/study.yaml"):
        path = tmp_path / left
        path.parent.mkdir(parents=True)
        path.write_text("")
    (tmp_path / "notes.txt").write_text("")
    assert list(read_reports(tmp_path)) == ["pets"]
