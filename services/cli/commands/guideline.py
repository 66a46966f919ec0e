"""`guideline list`: which guideline versions the running system decides with."""

from __future__ import annotations

import typer

from services.cli.commands import acting, guideline_diff
from services.cli.commands.lines import show, table
from services.cli.commands.shapes import Plain, plain, to_json
from services.cli.commands.words import guideline

_app = typer.Typer(help="The guideline versions in use.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    guideline_diff.register(_app)
    app.add_typer(_app, name="guideline")


@_app.callback()
def guidelines() -> None:
    """Hold the commands together, though there is only one yet."""


@_app.command("list")
def list_guidelines(
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """List the guideline versions that the running system holds."""
    from handrail.pathway.v1 import decisions_pb2

    async def work() -> list[Plain]:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            request = decisions_pb2.ListGuidelinesRequest(page_size=200)
            reply = await desk.pathway(desk.decisions.ListGuidelines, request)
            return [plain(held) for held in reply.guidelines]

    held = acting.run(work())
    if as_json:
        print(to_json({"guidelines": held}))
    else:
        show(table([(guideline(f"{one['guideline']}@{one['version']}"), one["content_hash"][:12]) for one in held]))
