"""Bring images of one's own: `make own NAME=pets FROM=~/pictures` writes own/NAME/ and prints the data set's entry of params.yaml.

FROM is a folder of PNG and JPEG images (folders in it are classes, or train, validation and test with classes below), a folder with files
named and written as MNIST's or SVHN's, or an .npz file. CONTRIBUTING.md has the whole recipe.
"""

import sys
from pathlib import Path

from regen.data.own import bring, entry
from regen.stage import run


def main(name: str, path: str) -> None:
    """Print nothing but the entry."""
    print(entry(bring(name, Path(path).expanduser(), Path())))


if __name__ == "__main__":
    run(main, "scripts/own.py", sys.argv[1:])
