"""`python -m replaymock`, and the script of that name. Interrupted while it loads, it ends without a traceback."""

import sys

try:
    from replaymock.cli import main
except KeyboardInterrupt:
    sys.exit(130)

if __name__ == "__main__":
    main()
