"""`python -m kubectl_trainingrun`."""

import sys

from kubectl_trainingrun.main import main

sys.exit(main())
