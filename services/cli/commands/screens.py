"""What a person's record, a worklist and a referral look like on a terminal. Pure: plain values in, lines out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.cli.commands.lines import BLANK, Line, heading, table, wrapped
from services.cli.commands.shared_screens import involvement, shared_decisions
from services.cli.commands.support_screens import cover, support
from services.cli.commands.words import (
    actor,
    banner,
    clock,
    course,
    day,
    due_status,
    guideline,
    label,
    listed,
    moment,
    nhs_number,
    person_name,
    sentence,
    value,
    words,
)
from services.cli.commands.words import event as happened

Values = Mapping[str, Any]
_NOTHING = "  None."
_ALMOST_TWO_DAYS = timedelta(hours=48)


def patient(state: Values) -> list[Line]:
    """Show one person's whole state."""
    lines = [
        Line(banner(state["person"]), "title"),
        Line(_pathway(state["pathway"])),
        *_whereabouts(state["whereabouts"]),
        *reached(state["contact"]),
        *involvement(state["shared_decisions"]),
        *cover(state["support"]),
    ]
    lines += [*heading("Open tasks"), *(tasks(state["open_items"]) or [Line(_NOTHING)])]
    lines += [*heading("What is known"), *(_facts(state["facts"]) or [Line(_NOTHING)])]
    lines += [*support(state["support"]), *shared_decisions(state["shared_decisions"])]
    lines += [*heading("Decisions"), *(_each(decision, state["decisions"]) or [Line(_NOTHING)])]
    lines += [*heading("Lines of treatment"), *(_each(_therapy_line, state["therapy_lines"]) or [Line(_NOTHING)])]
    lines += [*heading("Referrals"), *(_each(_referral_in_brief, state["referrals"]) or [Line(_NOTHING)])]
    lines += [*heading("Appointments"), *(_each(_appointment, state["appointments"]) or [Line(_NOTHING)])]
    lines += [BLANK, Line(f"Patient id {state['person']['patient_id']}", "quiet")]
    return lines


def history(events: Sequence[Values]) -> list[Line]:
    """Show every event in order with its facts; corrected values stay, marked."""
    shown = heading("History")
    for event in events:
        recorded = f", recorded {clock(event['recorded_at'])}"
        shown.append(Line(f"  {event['seq']:>3}  {day(event['occurred_at'])}  {happened(event['kind'])}", "strong"))
        shown += wrapped(f"{actor(event['actor'])}{recorded}{_from(event['source'])}", 7)
        shown += _said(event)
        for fact in event["facts"]:
            shown += _fact_in_history(fact)
        shown.append(Line(f"       event {event['event_id']}", "quiet"))
    if events and len(events) < events[-1]["seq"]:
        shown += wrapped("Numbers that are left out are Handrail's own steps, such as marking a task overdue.", 2)
    return shown if events else [*shown, Line(_NOTHING)]


def people(found: Sequence[Values]) -> list[Line]:
    """Show the people that were found."""
    rows = [
        (person_name(p), f"Born {day(p['birth_date'])}", f"NHS No. {nhs_number(p['nhs_number'])}", p["patient_id"])
        for p in found
    ]
    return table(rows) or [Line("Nobody was found.")]


def tasks(items: Sequence[Values]) -> list[Line]:
    """Show tasks of one person: what, whose, by when, and why."""
    lines = []
    for item in items:
        number = f"{item['number']}  " if item["number"] else ""
        lines += wrapped(f"{number}{item['title']}", 2, style=_urgency_style(item), hang=2)
        lines += wrapped(f"{owner(item)}, due {due(item)}{urgency(item)}{put_off(item)}{in_hand(item)}", 4)
        lines += wrapped(item["reason"], 4, style="quiet") if item["reason"] else []
        lines += reached(item["contact"], 4)
        lines.append(Line(f"    task id {item['item_id']}", "quiet"))
    return lines


def reached(contact: Values | None, indent: int = 0) -> list[Line]:
    """Show how the person is to be reached, and how not, before anybody rings or writes."""
    if contact is None:
        return []
    ways = ", ".join(words(way) for way in contact["ways"])
    said = [f"{'Safe contact only' if contact['safe_only'] else 'Contact'}: {ways}"]
    said += [contact["times"]] if contact["times"] else []
    said += ["leave no message"] if contact["leave_no_message"] else []
    said += [f"never through {contact['never_through']}"] if contact["never_through"] else []
    said += [f"interpreter: {contact['language']}"] if contact["interpreter"] else []
    said += [words(form) for form in contact["formats"]]
    return wrapped("; ".join(said) + ".", indent, style="strong" if contact["safe_only"] else "plain", hang=2)


def owner(item: Values) -> str:
    """Return whose task it is: the team, and in it the key worker or who covers today."""
    person = f" ({item['for_person']})" if item["for_person"] else ""
    return label(item["owner_team"] or item["owner_role"] or "nobody") + person


def due(item: Values) -> str:
    """Return when a task is due: a day, and the London time where it is due at one."""
    at = clock(item["due_at"])
    return day(item["due_on"]) if at.endswith(" 00:00") else at


def put_off(item: Values) -> str:
    """Return that a person put the task off, when somebody did."""
    return ", put off" if item["moved"] else ""


def in_hand(item: Values) -> str:
    """Return who has a task in hand, how often somebody tried, and on whom it waits, when that was said."""
    tried = f", tried {item['attempts']} times" if item["attempts"] else ""
    waits = f", waiting on {words(item['waiting_on'])}" if item["waiting_on"] else ""
    return (f", {item['taken_by']} has it" if item["taken_by"] else "") + tried + waits


def time_left(item: Values, at: datetime) -> str:
    """Return how long a task that is due at a time of day has left, or how long it has been overdue."""
    left = moment(item["due_at"]) - at
    if abs(left) >= _ALMOST_TWO_DAYS:
        return ""
    hours, minutes = divmod(int(abs(left).total_seconds()) // 60, 60)
    return f" ({hours} h {minutes:02d} min {'left' if left > timedelta() else 'ago'})"


def closed_task(item: Values) -> Line:
    """Return how a task ended."""
    return Line(f"{sentence(item['status'])}: {item['title']}")


def urgency(item: Values) -> str:
    """Return how urgent a task is, when it is."""
    return "" if item["urgency"] in {"", "routine"} else f", {item['urgency']}"


def worklist(items: Sequence[Values], at: datetime, *, with_ids: bool = False) -> list[Line]:
    """Show open tasks, the most urgent first, with their state at an instant, and why they are there."""
    if not items:
        return [Line("No open tasks.")]
    header = ("Due", "Status", "Patient", "NHS No.", "Born", "Waiting for")
    rows = [
        (
            due(item),
            due_status(item["due_on"], item["due_at"], at) + time_left(item, at) + urgency(item) + put_off(item),
            person_name(item["person"]) if item["person"] else item["patient_id"],
            nhs_number(item["person"]["nhs_number"]) if item["person"] else "",
            day(item["person"]["birth_date"]) if item["person"] else "",
            owner(item) + in_hand(item),
        )
        for item in items
    ]
    first, *rest = table([header, *rows], limits=(0, 0, 36, 0, 0, 0))
    lines = [Line(first.text, "strong")]
    for item, row in zip(items, rest, strict=True):
        lines += [row, *wrapped(f"{item['number']} {item['title']}".strip(), 4, style=_urgency_style(item), hang=2)]
        lines += wrapped(item["reason"], 6) if item["reason"] else []
        lines += reached(item["contact"], 6)
        lines += [Line(f"      task id {item['item_id']}", "quiet")] if with_ids else []
    return lines


def messages(found: Sequence[Values], teams: Mapping[str, str]) -> list[Line]:
    """Show messages, oldest first: to whom, what about, what became of each, and what it says."""
    lines: list[Line] = []
    for message in found:
        team = teams.get(message["team"], label(message["team"]))
        kept = ", kept and not mailed" if message["channel"] == "log" else ""
        became = f"{words(message['status'])}{kept}"
        said = f"{clock(message['created_at'])}  {team}: {happened(message['template'])} ({became})"
        lines += [BLANK, *wrapped(said, style="strong", hang=2)]
        lines += wrapped(message["subject"], 4) if message["subject"] else []
        for paragraph in message["body"].rstrip().splitlines():
            inner = len(paragraph) - len(paragraph.lstrip())
            lines += wrapped(paragraph, 4, hang=inner) if paragraph.strip() else [BLANK]
    return lines or [Line("No messages.")]


def stood_on(found: Values, teams: Mapping[str, str]) -> list[Line]:
    """Show what stood on a result."""
    lines = heading("Tasks")
    for item in found["items"]:
        how = "open" if item["status"] == "open" else f"{words(item['status'])}: {item['closed_reason']}"
        lines += wrapped(f"{item['number']} {item['title']} ({how})".strip(), 2, hang=2)
    lines += [] if found["items"] else [Line(_NOTHING)]
    lines += [*heading("Decisions"), *(_each(decision, found["decisions"]) or [Line(_NOTHING)])]
    return [
        *lines,
        *heading("Messages"),
        *(messages(found["messages"], teams) if found["messages"] else [Line(_NOTHING)]),
    ]


def referrals(found: Sequence[Values]) -> list[Line]:
    """Show referrals, newest first, each with the person."""
    lines = [line for held in found for line in [Line(banner(held["person"]), "title"), *_referral_in_brief(held)]]
    return lines or [Line("No referrals.")]


def referral(held: Values, person: Values) -> list[Line]:
    """Show one referral with its steps and who is responsible now."""
    lines = [Line(banner(person), "title"), *_referral_in_brief(held), *wrapped(held["reason"], 4)]
    lines += heading("Steps")
    for step in held["steps"]:
        said = f"{clock(step['at'])}  {label(step['status'])} by {actor(step['actor'])}"
        lines += wrapped(said, 2, hang=19)
        lines += wrapped(f"Responsible: {words(step['responsible_team'])}{_note(step['note'])}", 21)
    return lines


def decision(made: Values) -> list[Line]:
    """Show one decision with the person's view."""
    option = f": {value(made['option'])}" if made["option"] else ""
    lines = wrapped(f"{made['number']}  {label(made['outcome'])}{option}, {day(made['decided_at'])}", 2, hang=2)
    lines += wrapped(f"By {actor(made['actor'])}{_who_decided(made)}", 4)
    if made["options_shown"] and made["outcome"] != "done":
        lines += wrapped(f"Options shown: {listed([words(code) for code in made['options_shown']])}", 4)
    if made["person_view"]:
        lines += wrapped(f"The person's view: {made['person_view']}", 4)
    if made["departure"] and made["outcome"] == "accepted":
        lines += wrapped("Not what the guideline recommended on what was known then.", 4)
    if made["made_without"]:
        lines += wrapped(f"Accepted without: {listed([label(name) for name in made['made_without']])}", 4)
    if made["reason"] or made["reason_code"]:
        title = "Reason not followed" if made["departure"] else "Reason"
        coded = f" ({words(made['reason_code'])})" if made["reason_code"] else ""
        lines += wrapped(f"{title}: {made['reason'] or words(made['reason_code'])}{coded}", 4)
    if made["review_on"]:
        lines += wrapped(f"Looked at again on {day(made['review_on'])}", 4)
    return lines


def _who_decided(made: Values) -> str:
    whose = "" if made["decided_by"] in {"", "person"} else f"; decided by: {words(made['decided_by'])}"
    return f"{whose}; with {made['decided_with']}" if made["decided_with"] else whose


def fact_line(fact: Values) -> str:
    """Return a result in one line: name, value, what it is about, when it was so, source."""
    about = f" [{fact['subject']}]" if fact["subject"] else ""
    said = "entered in error" if fact["entered_in_error"] else value(fact["value"])
    return f"{label(fact['name'])}{about}: {said}, {day(fact['occurred_at'])}{_from(fact['source'])}"


def _pathway(pathway: Values) -> str:
    if pathway["status"] == "none":
        return "No pathway was opened yet."
    said = f"Pathway open since {day(pathway['opened_at'])}, {guideline(pathway['guideline'])}"
    if pathway["closed_at"]:
        said = f"Pathway opened {day(pathway['opened_at'])}, {guideline(pathway['guideline'])}; closed "
        said += f"{day(pathway['closed_at'])}: {words(pathway['closed_reason'])}"
    return f"{said}. Key worker: {pathway['key_worker'] or 'none yet'}."


def _whereabouts(standing: Values) -> list[Line]:
    """Show what whoever reads on must know first: a death, a transfer, another lead, being lost, opting out."""
    died = f", died {day(standing['died_on'])}" if standing["died_on"] else ""
    said = {
        f"Death {standing['death']}{died}.": standing["death"],
        f"Transfer to {standing['transfer_to']}: {standing['transfer']}.": standing["transfer"],
        f"Led by {words(standing['lead_team'])}.": standing["lead_team"],
        "Lost to follow-up: somebody is to find this person.": standing["lost"],
        f"Opted out: {words(standing['opted_out'])}.": standing["opted_out"],
    }
    return [Line(sentence, "strong") for sentence, so in said.items() if so]


def _facts(facts: Sequence[Values]) -> list[Line]:
    """Show each result once, as it stands: the newest of each name and subject, by when it was so."""
    newest: dict[tuple[str, str], Values] = {}
    for fact in sorted(facts, key=lambda f: (f["occurred_at"], f["seq"])):
        newest[(fact["name"], fact["subject"])] = fact
    rows = [
        (
            label(fact["name"]),
            value(fact["value"]),
            day(fact["occurred_at"]),
            (fact["source"] or words((fact["recorded_by"] or {}).get("role", "")) or "-"),
        )
        for fact in sorted(newest.values(), key=lambda f: (f["name"], f["subject"]))
    ]
    return table(rows, 2, (44, 44, 0, 30))


def _fact_in_history(fact: Values) -> list[Line]:
    mark, style = "", ""
    known_as = f" [fact {fact['fact_id'][:8]}]"
    if fact["entered_in_error"]:
        return wrapped(f"{label(fact['name'])}: entered in error{known_as}", 9, style="warn")
    if fact["superseded_by_fact_id"]:
        mark, style = " (superseded)", "quiet"
    elif fact["supersedes_fact_id"]:
        mark = " (corrected value)"
    about = f" [{fact['subject']}]" if fact["subject"] else ""
    return wrapped(f"{label(fact['name'])}{about}: {value(fact['value'])}{mark}{known_as}", 9, style=style, hang=2)


def _said(event: Values) -> list[Line]:
    """Show what the report itself says; ids are left out."""
    payload = (event["event"] or {}).get(event["kind"]) or {}
    lines: list[Line] = []
    for name, held in payload.items():
        if name.endswith("_id") or held in ("", None, 0, False, []):
            continue
        shown = listed([_entry(entry) for entry in held]) if isinstance(held, list) else _payload_value(name, held)
        lines += wrapped(f"{label(name)}: {shown}", 9, hang=2)
    return lines


def _entry(held: object) -> str:
    """Show one of several: words, or the fields of a part of the report that say something."""
    if not isinstance(held, Mapping):
        return str(held)
    return ", ".join(f"{words(name)} {said}" for name, said in held.items() if said not in ("", None))


def _payload_value(name: str, held: object) -> str:
    if name == "outcome" and isinstance(held, str) and held.startswith("OUTCOME_"):
        return held.removeprefix("OUTCOME_").lower()
    return value(held)


def _therapy_line(line: Values) -> list[Line]:
    started = f"started {day(line['started_at'])}"
    ended = f", ended {day(line['ended_at'])}" if line["ended_at"] else ""
    lines = wrapped(f"{sentence(course(line['course']))}: {started}{ended}", 2, hang=2)
    given = sum(step["kind"] == "cycle_given" for step in line["steps"])
    put_off_cycles = [step for step in line["steps"] if step["kind"] == "cycle_deferred"]
    if given or put_off_cycles:
        lines.append(Line(f"    {given} cycles given, {len(put_off_cycles)} deferrals"))
    for step in line["steps"]:
        if step["kind"] != "cycle_given":
            cycle = f" {step['cycle']}" if step["cycle"] else ""
            lines += wrapped(f"{day(step['at'])}  {happened(step['kind'])}{cycle}: {step['note']}", 4, hang=13)
    return [*lines, Line(f"    line id {line['line_id']}", "quiet")]


def _referral_in_brief(held: Values) -> list[Line]:
    asked = f" for {listed(held['numbers'])}" if held["numbers"] else ""
    what = f"To {words(held['to_team'])} from {words(held['from_team'])}{asked}, {held['urgency']}: "
    lines = wrapped(f"{what}{words(held['status'])}", 2, style="strong", hang=2)
    due = f"; next answer due {clock(held['next_due_at'])}" if held["next_due_at"] else ""
    lines += wrapped(f"Responsible for the next step now: {words(held['responsible_team'])}{due}", 4)
    lines += wrapped(f"Clinically responsible: {words(held['clinically_responsible_team'])}", 4)
    return [*lines, Line(f"    referral id {held['referral_id']}", "quiet")]


def _appointment(held: Values) -> list[Line]:
    place = f", {held['place']}" if held["place"] else ""
    how = f", {words(held['mode'])}" if held["mode"] else ""
    joint = f", with {words(held['with_team'])}" if held["with_team"] else ""
    by = {"cancelled": " by the ", "not_brought": ", depends on "}.get(held["status"], "")
    ended = f"{by}{held['ended_by']}" if by and held["ended_by"] else ""
    why = f" ({held['ended_reason']})" if held["ended_reason"] else ""
    said = f"{held['purpose']}{place}{how}{joint}: {words(held['status'])}{ended}{why}"
    return wrapped(f"{clock(held['starts_at'])}  {said}", 2, hang=2)


def _each(render: Any, found: Sequence[Values]) -> list[Line]:  # noqa: ANN401 - one of the renderers here
    return [line for one in found for line in render(one)]


def _from(source: str) -> str:
    return f", from {source}" if source else ""


def _note(note: str) -> str:
    return f". {sentence(note)}" if note else ""


def _urgency_style(item: Values) -> str:
    return "strong" if item["urgency"] in {"", "routine"} else "warn"
