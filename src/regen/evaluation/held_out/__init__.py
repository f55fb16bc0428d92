"""What a model says of held-out images: likelihoods, reconstructions, classes."""
