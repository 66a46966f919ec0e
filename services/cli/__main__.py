"""The entry point of `handrail`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from services.cli.commands import MODULES

app = typer.Typer(
    name="handrail",
    help="A care-pathway engine: one person's pathway, its promises and its clocks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def handrail(
    home: Annotated[
        str, typer.Option(envvar="HANDRAIL_HOME", help="The data folder; it may stand anywhere in the line.")
    ] = "",
) -> None:
    """Remember which home the command is about."""
    if home:
        os.environ["HANDRAIL_HOME"] = home


for module in MODULES:
    module.register(app)


def home_first(arguments: list[str]) -> list[str]:
    """Move `--home X` to the front, so that it may be typed after the command as well."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            return [*front, *rest, word, *words]
        if word == "--home":
            front += [word, *[value for _, value in zip(range(1), words, strict=False)]]
        elif word.startswith("--home="):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


def main() -> None:
    """Run a command; what goes wrong is one sentence on stderr, a traceback only with HANDRAIL_DEBUG=1."""
    try:
        app(args=home_first(sys.argv[1:]), prog_name="handrail")
    except Exception as error:
        if os.environ.get("HANDRAIL_DEBUG") == "1":
            raise
        said = str(error).strip() or type(error).__name__
        print(f"handrail: {said}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
