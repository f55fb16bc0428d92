"""Where raw files come from, how they become uint8 tensors and splits."""
