"""Which files and packages a script depends on: whatever it imports, wherever the import stands, and what the modules read."""

from pathlib import Path

import pytest

from regen.common.errors import UserError
from regen.dependencies.closure import closure, data_files
from regen.dependencies.write import code_of

LOCK = """\
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:00
    # via
    #   regen (pyproject.toml)
    #   scipy
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:01
    # via
    #   regen (pyproject.toml)
    #   scipy
scikit-learn==1.9.1 \\
    --hash=sha256:02
    # via regen (pyproject.toml)
scipy==1.17.1 \\
    --hash=sha256:03
    # via scikit-learn
mlflow==3.17 \\
    --hash=sha256:04
    # via regen (pyproject.toml)
"""


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in {"src/regen/__init__.py": "", "requirements.lock": LOCK, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


SCRIPT = "stages/one.py"
TREE = {
    SCRIPT: "from regen.a.first import go\n",
    "src/regen/a/__init__.py": "",
    "src/regen/a/first.py": "import math\nfrom regen import b\ndef go():\n    from sklearn import mixture\n    import regen.c.deep\n",
    "src/regen/b.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from regen.d import unused\n    import mlflow\n",
    "src/regen/c/__init__.py": "",
    "src/regen/c/deep.py": "",
    "src/regen/d.py": "",
}


def modules(root: Path, script: str = SCRIPT) -> set[str]:
    return set(closure(root / script, root / "src").modules)


def test_imports_are_followed_wherever_they_stand(tmp_path: Path) -> None:
    root = written(tmp_path, TREE)
    # With every package above; what only a type checker reads is not run.
    assert modules(root) == {"regen", "regen.a", "regen.a.first", "regen.b", "regen.c", "regen.c.deep"}
    assert closure(root / SCRIPT, root / "src").others == {"math", "sklearn", "typing"}


def test_a_package_whose_modules_are_imported_by_name_counts_as_a_whole(tmp_path: Path) -> None:
    loop = "for m in pkgutil.iter_modules(c.__path__):\n    import_module(m.name)\n"
    registry = f"import pkgutil\nfrom importlib import import_module\nfrom regen import c\n{loop}"
    root = written(tmp_path, {**TREE, SCRIPT: registry, "src/regen/c/other.py": "import regen.d\n"})
    assert modules(root) == {"regen", "regen.c", "regen.c.deep", "regen.c.other", "regen.d"}
    root = written(tmp_path, {SCRIPT: "import importlib\nimportlib.import_module('regen.b')\n"})
    assert modules(root) == {"regen", "regen.b"}


@pytest.mark.parametrize("text", ["import importlib\nname = 'x'\nimportlib.import_module(name)\n", "__import__(input())\n"])
def test_an_import_that_cannot_be_followed_is_refused(tmp_path: Path, text: str) -> None:
    root = written(tmp_path, {SCRIPT: text})
    with pytest.raises(UserError, match=r"one\.py: expected imports by names that stand in the file"):
        modules(root)


def test_provenance_is_noted_beside_a_result_and_decides_none_of_it(tmp_path: Path) -> None:
    root = written(tmp_path, {SCRIPT: "from regen.provenance import recorded\n", "src/regen/provenance.py": "import regen.d\n"})
    assert modules(root) == {"regen"}


def test_data_beside_a_module_and_in_folders_without_code_counts_and_editors_leavings_do_not(tmp_path: Path) -> None:
    leavings = [".DS_Store", "table.yaml~", ".table.yaml.swp", "#table.yaml#", "table.yaml.orig", "templates/.ipynb_checkpoints/page.html"]
    files = {
        **dict.fromkeys(leavings, "x"),
        "table.yaml": "a: 1",
        "templates/page.html": "<p>",
        "deeper/code.py": "",
        "deeper/other.yaml": "",
    }
    root = written(tmp_path, {**TREE, **{f"src/regen/a/{name}": text for name, text in files.items()}})
    found = {path.relative_to(root / "src/regen/a").as_posix() for path in data_files(root / "src/regen/a/first.py")}
    assert found == {"table.yaml", "templates/page.html"}
    before = code_of(root / SCRIPT, root)
    (root / "src/regen/a/table.yaml").write_text("a: 2")
    after = code_of(root / SCRIPT, root)
    assert [line.split()[-1] for line in set(before.splitlines()) ^ set(after.splitlines())] == ["src/regen/a/table.yaml"] * 2


def test_packages_stand_with_what_they_need_themselves(tmp_path: Path) -> None:
    lines = code_of(written(tmp_path, TREE) / SCRIPT, tmp_path).splitlines()
    assert [line for line in lines if "==" in line] == ["numpy==2.4.6", "numpy==2.5.5", "scikit-learn==1.9.1", "scipy==1.17.1"]


def test_an_import_without_a_pinned_package_is_refused(tmp_path: Path) -> None:
    root = written(tmp_path, {SCRIPT: "import requests\n"})
    with pytest.raises(UserError, match=r"requirements\.lock: expected the package of 'import requests', got none"):
        code_of(root / SCRIPT, root)


def test_a_comment_in_what_is_imported_changes_nothing_and_a_line_does(tmp_path: Path) -> None:
    root = written(tmp_path, TREE)
    before = code_of(root / SCRIPT, root)
    (root / "src/regen/c/deep.py").write_text('"""Deep."""\n# Really.\n')
    assert code_of(root / SCRIPT, root) == before
    (root / "src/regen/d.py").write_text("x = 1\n")
    assert code_of(root / SCRIPT, root) == before
    (root / "src/regen/c/deep.py").write_text("x = 1\n")
    assert code_of(root / SCRIPT, root) != before
