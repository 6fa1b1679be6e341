"""What users see, frozen: files of what commands print, servers answer and recordings hold, compared byte for byte.

These tests know the command line and sockets only, so that everything behind them can change places.
Where a change of what users see is meant: `REPLAYMOCK_RENEW_GOLDEN=1 scripts/test tests/golden`, and read the diff.
"""
