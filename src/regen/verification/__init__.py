"""Do the numbers come out again? Two runs held against each other."""
