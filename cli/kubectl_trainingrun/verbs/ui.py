"""`ui`: a page in the browser, for this machine only."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import webbrowser

from kubectl_trainingrun import options as given
from kubectl_trainingrun.exits import Exit
from kubectl_trainingrun.options import Verbs, add_cluster, verb

PORT = 8686


def add(verbs: Verbs) -> None:
    parser = verb(verbs, "ui", _run, "show runs in the browser, read-only, on this machine only")
    add_cluster(parser)
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")
    parser.add_argument("--port", type=int, default=PORT, help="(default: %(default)s; 0: any)")
    parser.add_argument("--open", action="store_true", help="open the browser")


def _run(options: argparse.Namespace) -> int:
    # Not above: aiohttp takes a while to import, and no other verb needs it.
    from kubectl_trainingrun.ui.server import Pages, serve  # noqa: PLC0415

    chosen = given.kubectl(options)
    pages = Pages(
        lambda namespace: dataclasses.replace(chosen, namespace=namespace or chosen.namespace),
        everywhere=options.all_namespaces,
    )

    def say(address: str) -> None:
        print(f"{address}  (Ctrl-C ends it)", flush=True)
        if options.open:
            webbrowser.open(address)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(pages.application(), options.port, say))
    return Exit.DONE
