"""params.yaml as a whole: checked, and resolved to one configuration a stage."""
