"""The tables of records, one file a noun."""

from services.records.models.appointment import Appointment
from services.records.models.decision import Decision
from services.records.models.evaluation import Evaluation
from services.records.models.event import Event
from services.records.models.fact import Fact
from services.records.models.item import Item, ItemStep
from services.records.models.links import DecisionFact, ItemFact, Message, MessageFact, MessageItem
from services.records.models.pathway import Pathway
from services.records.models.person import Person
from services.records.models.referral import Referral, ReferralStep
from services.records.models.refused_report import RefusedReport
from services.records.models.reply import FiledCall, Reply
from services.records.models.team import Team
from services.records.models.therapy_line import TherapyLine

__all__ = [
    "Appointment",
    "Decision",
    "DecisionFact",
    "Evaluation",
    "Event",
    "Fact",
    "FiledCall",
    "Item",
    "ItemFact",
    "ItemStep",
    "Message",
    "MessageFact",
    "MessageItem",
    "Pathway",
    "Person",
    "Referral",
    "ReferralStep",
    "RefusedReport",
    "Reply",
    "Team",
    "TherapyLine",
]
