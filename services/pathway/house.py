"""How the pathway service is put together: used by the process and by the tests alike."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import grpc
from temporalio.client import Client

from handrail.clinical.v1 import events_pb2
from handrail.pathway.v1 import (
    decisions_pb2,
    decisions_pb2_grpc,
    intake_pb2,
    intake_pb2_grpc,
    referrals_pb2,
    referrals_pb2_grpc,
    scheduling_pb2,
    scheduling_pb2_grpc,
)
from handrail.records.v1.timeline_pb2_grpc import TimelineServiceStub
from services.pathway.decisions import DecisionService, Guidelines
from services.pathway.desk import Desk
from services.pathway.directory import Directory
from services.pathway.door import Door
from services.pathway.guideline import Guideline, load_all, load_shared
from services.pathway.intake import IntakeService
from services.pathway.knowledge.adoption import version_for_new_people, with_delegated
from services.pathway.knowledge.urgent import FILE, load_urgent
from services.pathway.ladders import Ladders
from services.pathway.promises import Promises, load_promises
from services.pathway.referrals import ReferralService
from services.pathway.scheduling import SchedulingService
from services.pathway.visits import Visits
from services.pathway.yaml_lines import refused
from services.runtime.clients import Caller
from services.runtime.context import Actor
from workflows.messages import Settings

SERVICE = Actor("system:pathway", "worker")


def read_guidelines(directory: Path) -> tuple[Guidelines, Promises]:
    """Read every guideline version, with what it leaves to others, and the promises of a directory.

    Raises:
        GuidelineError: file, line, and what to do.
    """
    guidelines = with_delegated(load_all(directory))
    _check_events(directory / "events.yaml", guidelines)
    return guidelines, load_promises(directory)


def read_urgent(directory: Path) -> Guideline:
    """Read the rules for emergencies, without which no house starts: a red flag would open nothing.

    Raises:
        GuidelineError: file, line, and what to do.
    """
    urgent = load_urgent(directory, load_shared(directory))
    if urgent is None:
        raise refused(directory / FILE, 1, "this file is missing, and emergencies would not be seen; put it back.")
    return urgent


def _check_events(path: Path, guidelines: Guidelines) -> None:
    """Refuse a kind of event that the contract does not have: reports of the one that was meant would imply nothing."""
    known = [field.name for field in events_pb2.ClinicalEvent.DESCRIPTOR.fields]
    said = {kind for guideline in guidelines.values() for kind in guideline.events}
    lines = path.read_text(encoding="utf-8").splitlines()
    for kind in sorted(said.difference(known)):
        line = next((number for number, text in enumerate(lines, 1) if text.strip().startswith(f"{kind}:")), 1)
        near = difflib.get_close_matches(kind, known, 1)
        meant = f"; did you mean '{near[0]}'?" if near else "; take it out, or write one of the contract's."
        raise refused(path, line, f"there is no event called '{kind}'{meant}")


def current_guideline(guidelines: Guidelines, guideline_id: str) -> Guideline:
    """Return the newest version that may be adopted: the one that new pathways are pinned to.

    If there is none, the newest of all: people under way are still served, and the desk refuses to open a pathway.
    """
    versions = sorted(version for (name, version) in guidelines if name == guideline_id)
    if not versions:
        sys.exit(f"pathway: no version of the guideline {guideline_id} was found; check HANDRAIL_GUIDELINE_DIR.")
    return version_for_new_people(guidelines, guideline_id) or guidelines[guideline_id, versions[-1]]


class LocalRules(NamedTuple):
    """What a service sets for itself.

    How soon promises are kept, who hears when they are not, what goes before all, how visits may be held.
    """

    promises: Promises
    ladders: Ladders
    urgent: Guideline
    visits: Visits


class House:
    """The pathway service's four gRPC services over one door into Temporal."""

    def __init__(
        self,
        guidelines: Guidelines,
        guideline: Guideline,
        local: LocalRules,
        client: Client,
        records: grpc.aio.Channel,
        identity_key: str,
        limits: Settings,
    ) -> None:
        caller = Caller(SERVICE, identity_key)
        timeline = TimelineServiceStub(records)
        directory = Directory(caller, timeline)
        desk = Desk(Door(client), caller, timeline, guideline, limits, directory)
        self.intake = IntakeService(desk)
        self.referrals = ReferralService(desk)
        self.scheduling = SchedulingService(desk, local.promises, local.ladders, local.visits, directory)
        self.decisions = DecisionService(guidelines, local, caller, timeline, directory)

    def add_servicers(self, server: grpc.aio.Server) -> Sequence[str]:
        """Register the services on a server; return their full names."""
        intake_pb2_grpc.add_IntakeServiceServicer_to_server(self.intake, server)
        referrals_pb2_grpc.add_ReferralServiceServicer_to_server(self.referrals, server)
        scheduling_pb2_grpc.add_SchedulingServiceServicer_to_server(self.scheduling, server)
        decisions_pb2_grpc.add_DecisionServiceServicer_to_server(self.decisions, server)
        files = (intake_pb2, referrals_pb2, scheduling_pb2, decisions_pb2)
        return [service.full_name for file in files for service in file.DESCRIPTOR.services_by_name.values()]
