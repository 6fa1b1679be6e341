"""`python -m replaymock`."""

from replaymock.cli import main

main()
