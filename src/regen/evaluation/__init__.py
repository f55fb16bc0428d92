"""What a trained model is worth: on held-out images, and by its samples."""
