"""Where the official files are published."""

__all__ = ["addresses"]

LAROCHELLE = "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/"
DRIVE = "https://drive.usercontent.google.com/download?export=download&confirm=t&id="


def addresses(dataset: str, name: str) -> list[str]:
    """Return the addresses of an official file, best first; those that torchvision knows come from torchvision."""
    from torchvision.datasets import MNIST, SVHN, CelebA

    match dataset:
        case "mnist":
            return [mirror + name for mirror in MNIST.mirrors]
        case "binarized_mnist":
            return [LAROCHELLE + name]
        case "svhn":
            return [address for address, file, _ in SVHN.split_list.values() if file == name]
        case "celeba":
            # torchvision's own Google Drive download needs gdown, has no timeout, and asks for the same file by this id.
            return [DRIVE + identifier for identifier, _, file in CelebA.file_list if file == name]
        case _:
            return []
