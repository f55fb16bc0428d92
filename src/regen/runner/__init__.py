"""A DVC pipeline's stages side by side: DVC judges, restores, saves and commits; a pool runs the commands."""
