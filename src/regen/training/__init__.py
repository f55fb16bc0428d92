"""One loop for every model, its schedule, its checkpoints."""
