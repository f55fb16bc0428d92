"""Charts of results: every one is drawn from tables alone, and knows where its data points lie."""
