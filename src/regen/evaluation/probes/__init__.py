"""Experiments that claims call for beside the evaluation of every variant."""
