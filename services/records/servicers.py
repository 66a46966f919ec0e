"""Which servicers this process serves: used by `__main__` and by tests alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import grpc

from handrail.records.v1 import filing_pb2_grpc, people_pb2_grpc, timeline_pb2_grpc
from services.records.db import Database
from services.records.filing import FilingService
from services.records.people import PeopleService
from services.records.timeline import TimelineService

NAMES = (
    "handrail.records.v1.PeopleService",
    "handrail.records.v1.FilingService",
    "handrail.records.v1.TimelineService",
)


def servicers(database: Database, *, production: bool) -> Callable[[grpc.aio.Server], Sequence[str]]:
    """Return what registers the three services on a server and names them."""

    def add(server: grpc.aio.Server) -> Sequence[str]:
        people_pb2_grpc.add_PeopleServiceServicer_to_server(PeopleService(database, production=production), server)
        filing_pb2_grpc.add_FilingServiceServicer_to_server(FilingService(database), server)
        timeline_pb2_grpc.add_TimelineServiceServicer_to_server(TimelineService(database), server)
        return NAMES

    return add
