"""Breaking alertd on purpose: see scripts/mutants.py."""
