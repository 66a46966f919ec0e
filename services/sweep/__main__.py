"""`python -m services.sweep` looks once; with `--watch` it looks at its interval until it is stopped.

It runs outside Temporal, so that Temporal's own silence is noticed by somebody.
"""

from __future__ import annotations

import argparse
import asyncio
import atexit
import json
import logging
import sys
import time
from contextlib import suppress

from services.runtime.clients import Caller, open_channel
from services.runtime.settings import env, identity_key, require_env
from services.sweep.compare import Swept
from services.sweep.looking import CannotLookError, Looker
from services.sweep.watch import SWEEP, watch
from services.sweep.words import WORDS, blind, report

WELL, FOUND, COULD_NOT_LOOK = 0, 1, 2


async def once(*, as_json: bool) -> int:
    """Look once, say what was seen, and return the exit code."""
    channel = open_channel(require_env("HANDRAIL_RECORDS_ADDRESS"))
    looker = Looker(
        require_env("TEMPORAL_ADDRESS"), env("TEMPORAL_NAMESPACE", "default"), channel, Caller(SWEEP, identity_key())
    )
    try:
        swept = await looker.sweep()
    except CannotLookError as error:
        said = blind(error.part)
        print(json.dumps({"looked": False, "part": error.part, "do": said}, indent=2) if as_json else said)  # noqa: T201
        return COULD_NOT_LOOK
    finally:
        await channel.close()
    print(to_json(swept) if as_json else "\n".join(report(swept)))  # noqa: T201 - a command's answer
    return WELL if swept.well else FOUND


def to_json(swept: Swept) -> str:
    """Return a sweep for machines."""
    found = [
        {"what": finding.kind.value, "id": finding.subject, "number": number, "do": WORDS[finding.kind].do}
        for finding, number in swept.found.items()
    ]
    return json.dumps({"looked": True, "well": swept.well, "counts": swept.counts(), "found": found}, indent=2)


def main() -> int:
    """Look once, or watch."""
    parser = argparse.ArgumentParser(prog="python -m services.sweep", description=__doc__)
    parser.add_argument("--watch", action="store_true")
    parser.add_argument("--json", action="store_true", dest="as_json")
    asked = parser.parse_args()
    # Temporal's bridge may still hold the interpreter when it ends; without this pause the exit can abort.
    atexit.register(time.sleep, 0.05)
    if asked.watch:
        with suppress(KeyboardInterrupt):
            asyncio.run(watch())
        return WELL
    logging.disable(logging.CRITICAL)  # what went wrong is said in one sentence
    return asyncio.run(once(as_json=asked.as_json))


if __name__ == "__main__":
    sys.exit(main())
