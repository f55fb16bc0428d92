"""What a trained model is worth: likelihoods and reconstructions on the test images."""
