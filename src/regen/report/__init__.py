"""The report: what the pipeline wrote, assembled into Markdown and HTML."""
