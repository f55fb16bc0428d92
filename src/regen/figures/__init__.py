"""Figures of the reports: one function a figure, one style, captions made from the data."""
