"""One function a claim: its operational test, carried out on the results of one preset."""
