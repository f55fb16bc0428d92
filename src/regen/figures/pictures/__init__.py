"""Pictures of one trained model: its samples, reconstructions, paths and codes."""
