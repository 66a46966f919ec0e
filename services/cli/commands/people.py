"""Finding the person a command is about, and reading what the record holds of them."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress

from services.cli.commands.acting import Desk
from services.cli.commands.shapes import Plain, plain
from services.cli.errors import CliError


async def patient_id_of(desk: Desk, text: str) -> str:
    """Return the patient id that a patient id, an NHS number or a local identifier names.

    Raises:
        NotFound: nobody has it.
    """
    from services.runtime.errors import NotFound

    try:
        return str(uuid.UUID(text))
    except ValueError:
        pass
    digits, asked = re.sub(r"[\s-]", "", text), text.strip()
    found = [
        p
        for p in await find(desk, text)
        if digits == p["nhs_number"] or asked == p["local_identifier"] or p["patient_id"].startswith(asked.lower())
    ]
    if not found:
        message = (
            f"Nobody is registered with {text}. Give the patient id or the NHS number; `patient find` looks up names."
        )
        raise NotFound(message)
    if len(found) > 1:
        message = f"More than one person has {text}. Use the patient id; `patient find` lists them."
        raise NotFound(message)
    return str(found[0]["patient_id"])


async def find(desk: Desk, text: str) -> list[Plain]:
    """Return the people that a number or the beginning of a family name finds."""
    from handrail.records.v1 import people_pb2

    reply = await desk.records(desk.people.FindPeople, people_pb2.FindPeopleRequest(text=text, page_size=200))
    return [plain(person) for person in reply.people]


async def person(desk: Desk, patient_id: str) -> Plain:
    """Return who somebody is."""
    from handrail.records.v1 import people_pb2

    reply = await desk.records(desk.people.GetPerson, people_pb2.GetPersonRequest(patient_id=patient_id))
    return plain(reply.person)


async def whole(desk: Desk, patient_id: str, min_seq: int = 0) -> Plain:
    """Return one person's whole state; `min_seq` waits a moment for that report to be filed."""
    from handrail.records.v1 import timeline_pb2

    request = timeline_pb2.GetPatientRequest(patient_id=patient_id, min_seq=min_seq)
    return plain(await desk.records(desk.timeline.GetPatient, request))


async def filed(desk: Desk, patient_id: str, seq: int) -> None:
    """Wait a moment until a report can be read; it is accepted in any case."""
    from services.runtime.errors import HandrailError

    with suppress(CliError, HandrailError):
        await whole(desk, patient_id, min_seq=seq)


async def events(desk: Desk, patient_id: str) -> list[Plain]:
    """Return every event in order, each with the facts it carried."""
    from handrail.records.v1 import timeline_pb2

    request = timeline_pb2.ListEventsRequest(patient_id=patient_id)
    return [plain(event) for event in (await desk.records(desk.timeline.ListEvents, request)).events]


async def facts(desk: Desk, patient_id: str) -> list[Plain]:
    """Return every fact that was ever recorded, superseded ones too."""
    from handrail.records.v1 import timeline_pb2

    request = timeline_pb2.ListFactsRequest(patient_id=patient_id, include_superseded=True)
    return [plain(fact) for fact in (await desk.records(desk.timeline.ListFacts, request)).facts]


async def evaluation(desk: Desk, patient_id: str) -> Plain:
    """Return the newest evaluation of a person.

    Raises:
        HandrailError: nothing was judged yet.
    """
    from handrail.records.v1 import timeline_pb2

    request = timeline_pb2.GetEvaluationRequest(patient_id=patient_id)
    return plain(await desk.records(desk.timeline.GetEvaluation, request))


async def tasks(
    desk: Desk, *, patient_id: str = "", team: str = "", tab: str = "", taken_by: str = "", closed: bool = False
) -> list[Plain]:
    """Return tasks, the most urgent first, all pages of them."""
    from handrail.records.v1 import timeline_pb2

    found: list[Plain] = []
    token = ""
    while True:
        request = timeline_pb2.ListItemsRequest(
            patient_id=patient_id,
            team=team,
            tab=tab,
            taken_by=taken_by,
            include_closed=closed,
            page_size=500,
            page_token=token,
        )
        reply = await desk.records(desk.timeline.ListItems, request)
        found += [plain(item) for item in reply.items]
        token = reply.next_page_token
        if not token:
            return found


async def stood_on(desk: Desk, patient_id: str, fact_id: str) -> Plain:
    """Return what stood on a fact: tasks, decisions, and the messages that told of it."""
    from handrail.records.v1 import timeline_pb2

    request = timeline_pb2.GetStoodOnRequest(patient_id=patient_id, fact_id=fact_id)
    found = plain(await desk.records(desk.timeline.GetStoodOn, request))
    told = set(found.pop("message_ids"))
    found["messages"] = [one for one in await messages(desk, patient_id) if one["message_id"] in told]
    return found


async def without_next_step(desk: Desk) -> list[Plain]:
    """Return the open pathways that have nothing open: nobody should be among them."""
    from handrail.records.v1 import timeline_pb2

    request = timeline_pb2.ListPathwaysRequest(page_size=500, without_next_step=True)
    return [plain(state) for state in (await desk.records(desk.timeline.ListPathways, request)).pathways]


async def referral(desk: Desk, referral_id: str) -> Plain:
    """Return a referral with its steps, and whom it is about."""
    from handrail.records.v1 import timeline_pb2

    request = timeline_pb2.GetReferralRequest(referral_id=referral_id)
    return plain(await desk.records(desk.timeline.GetReferral, request))


async def messages(desk: Desk, patient_id: str) -> list[Plain]:
    """Return the messages about one person, oldest first, the newest 500."""
    from handrail.notify.v1 import notices_pb2

    request = notices_pb2.ListMessagesRequest(patient_id=patient_id, page_size=500)
    return [plain(message) for message in (await desk.notify(desk.notices.ListMessages, request)).messages]


async def teams(desk: Desk) -> list[Plain]:
    """Return the teams, in the order of the teams file."""
    from handrail.records.v1 import timeline_pb2

    reply = await desk.records(desk.timeline.ListTeams, timeline_pb2.ListTeamsRequest(page_size=500))
    return [plain(team) for team in reply.teams]


async def with_team(desk: Desk) -> Desk:
    """Return the desk of an actor who has a team: what somebody reports or owns is always a team's.

    Raises:
        CliError: no team has a member in this role.
    """
    from dataclasses import replace

    actor = desk.actor
    known = await teams(desk)
    if actor.team and actor.team not in {team["team_id"] for team in known}:
        message = f"There is no team {actor.team}. The teams are {', '.join(team['team_id'] for team in known)}."
        raise CliError(message)
    if actor.team:
        return desk
    for team in known:
        if any(member["role"] == actor.role for member in team["members"]):
            return desk.acting_as(replace(actor, team=team["team_id"]))
    message = f"No team has a {actor.role.replace('_', ' ')}; say for which team you act with --team."
    raise CliError(message)
