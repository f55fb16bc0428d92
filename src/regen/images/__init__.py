"""Images in memory: a set with its labels, what a variant does to them, batches of them."""
