"""`python -m remission` is the command line."""

import sys

from remission.command import main

sys.exit(main())
