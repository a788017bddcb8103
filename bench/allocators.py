"""Whether another allocator or OpenMP makes training faster than the system's and torch's own.

`python -m bench.allocators [--repeats N]`: one rank in a pod that is limited to 2 CPUs, with two
threads. Needs the local cluster and its images (`make images`).
"""

import argparse
from typing import Final

from bench.in_a_pod import table, timed

NONE: Final = "none"
THREADS: Final = {"OMP_NUM_THREADS": "2"}
VARIANTS: Final = {
    NONE: THREADS,
    "tcmalloc": {**THREADS, "PRELOAD": "tcmalloc"},
    "jemalloc": {**THREADS, "PRELOAD": "jemalloc"},
    "Intel's OpenMP": {**THREADS, "PRELOAD": "intel-openmp", "KMP_BLOCKTIME": "1"},
    "tcmalloc, Intel's OpenMP": {
        **THREADS,
        "PRELOAD": "tcmalloc:intel-openmp",
        "KMP_BLOCKTIME": "1",
    },
}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7, help="processes of each variant")
    print(table(timed("2", VARIANTS, parser.parse_args().repeats), NONE))


if __name__ == "__main__":
    main()
