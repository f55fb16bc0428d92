"""What a model's samples are worth, held against test images."""
