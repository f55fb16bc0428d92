"""Networks, distributions and the models made of them; nothing here knows of files or DVC."""
