"""`python -m alertd.cli`."""

from alertd.cli import main

main()
