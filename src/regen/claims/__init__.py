"""The reports' claims: what each says, how it is tested, and what the results say of it."""
