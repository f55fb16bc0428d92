"""What code a stage's result depends on: the modules that its script imports, their data files, the pinned packages."""
