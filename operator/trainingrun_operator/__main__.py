"""`python -m trainingrun_operator`: the operator, set up by its environment."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from trainingrun_operator import logs
from trainingrun_operator.cluster.kubernetes import KubernetesCluster
from trainingrun_operator.cluster.protocol import ClusterError
from trainingrun_operator.operator import Operator
from trainingrun_operator.options import OptionError, Options, Patience


async def serve(options: Options, patience: Patience | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    cluster = KubernetesCluster()
    try:
        await Operator(options, cluster, patience=patience).serve()
    finally:
        await cluster.close()


def main() -> int:
    """Exit code: 0 asked to stop, 1 a fault that a restart may mend, 2 wrong options."""
    try:
        options = Options.from_environment(os.environ)
    except OptionError as error:
        print(error, file=sys.stderr)
        return 2
    logs.configure(options.log_format)
    try:
        asyncio.run(serve(options))
    except ClusterError as error:
        logging.getLogger(__name__).error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
