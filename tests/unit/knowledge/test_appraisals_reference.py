"""The appraisals against the digest's table, written out by hand line by line: people of whom all is known."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from services.pathway.knowledge.appraisals import rule_on
from services.pathway.knowledge.factfile import FactFileError, read_person
from services.pathway.knowledge.library import open_library
from tests.unit.knowledge.asking import GUIDELINES

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIBRARY = open_library(GUIDELINES, "cg81", "2026-06-30")
RELAPSED = date(2026, 6, 1)
MONTH = timedelta(days=30.4375)
NSAI, CDK = {"letrozole", "anastrozole"}, {"palbociclib", "ribociclib", "abemaciclib"}
ENDOCRINE = {*NSAI, "exemestane", "tamoxifen", "fulvestrant", "elacestrant"}
ANTHRACYCLINES, TAXANES = {"epirubicin", "doxorubicin"}, {"docetaxel", "paclitaxel", "nab-paclitaxel"}
CHEMO = ANTHRACYCLINES | TAXANES | {"carboplatin", "capecitabine", "vinorelbine", "gemcitabine", "eribulin"}
TDXD, TDM1 = "trastuzumab deruxtecan", "trastuzumab emtansine"
ANTI_HER2 = {"trastuzumab", "pertuzumab", "tucatinib", TDXD, TDM1}
COURSES = [
    ["letrozole"], ["tamoxifen"], ["palbociclib", "letrozole"], ["ribociclib", "letrozole"],
    ["abemaciclib", "letrozole"], ["palbociclib", "fulvestrant"], ["abemaciclib", "tamoxifen"],
    ["everolimus", "exemestane"], ["capecitabine"], ["epirubicin", "cyclophosphamide"],
    ["epirubicin", "cyclophosphamide", "docetaxel"], ["paclitaxel"], ["eribulin"], ["gemcitabine", "carboplatin"],
    ["pertuzumab", "trastuzumab", "docetaxel"], ["trastuzumab"], ["trastuzumab", "paclitaxel"], [TDXD], [TDM1],
    ["tucatinib", "trastuzumab", "capecitabine"], ["sacituzumab govitecan"], ["pembrolizumab", "paclitaxel"],
    ["olaparib"], ["elacestrant"], ["capivasertib", "fulvestrant"], ["alpelisib", "fulvestrant"],
]  # fmt: skip


def course(random: Random) -> dict[str, Any]:
    early = random.random() < 0.35
    months = random.choice([2, 5, 6, 7, 11, 12, 14, 30])
    found: dict[str, Any] = {
        "setting": random.choice(["neoadjuvant", "adjuvant", "adjuvant"]) if early else "advanced",
        "agents": random.choice(COURSES),
        "months": months,
        "stop_reason": random.choice(["completed", "progression", "progression", "toxicity"]),
    }
    if early:
        found["ended_on"] = (RELAPSED - random.choice([1, 5, 7, 11, 13, 40]) * MONTH).isoformat()
    return found


def somebody(random: Random) -> dict[str, Any]:
    kind = random.choice(["luminal", "luminal", "triple", "her2", "her2"])
    ihc = random.choice(["0", "1+"]) if kind != "her2" else random.choice(["3+", "3+", "2+"])
    er = {"luminal": "positive", "triple": "negative"}.get(kind) or random.choice(["positive", "negative"])
    sex = random.choice(["female", "female", "female", "male"])
    found: dict[str, Any] = {
        "disease_extent": random.choice(["metastatic"] * 6 + ["locally_advanced_unresectable", "early_or_resectable"]),
        "er_status": er, "pr_status": "negative" if kind == "triple" else random.choice(["positive", "negative"]),
        "her2_ihc": ihc, "her2_ish": "amplified" if ihc == "2+" else "not_done", "sex": sex,
        "menopausal_status": "not_applicable" if sex == "male" else random.choice(["pre", "peri", "post", "post"]),
        "ecog": random.choice([0, 1, 1, 2, 3]), "lvef_pct": random.choice([45, 50, 60]),
        "pd_l1_cps": random.choice([5, 10, 20]), "pd_l1_ic_pct": random.choice([0, 0.9, 1, 5]),
        "ntrk_fusion": random.choice(["positive", "not_detected"]), "age_years": random.choice([17, 18, 60]),
        "bone_mets": "present", "recurrence": {"value": True, "occurred_at": RELAPSED.isoformat()},
        "prior_therapies": [course(random) for _ in range(random.choice([0, 1, 1, 2, 2, 3, 4]))],
    }  # fmt: skip
    if found["disease_extent"] == "early_or_resectable":
        found["bone_mets"] = "absent"
    found |= {
        gene: random.choice(["pathogenic", "not_detected"]) for gene in ("gbrca", "pik3ca", "akt1", "pten", "esr1")
    }
    judged = ("ovarian_suppression", "anthracycline_unsuitable", "taxane_unsuitable", "endocrine_unsuitable",
              "exemestane_everolimus_best_alternative", "symptomatic_visceral_disease", "docetaxel_suitable",
              "other_satisfactory_options", "bisphosphonate_would_be_prescribed")  # fmt: skip
    return found | {name: random.random() < 0.4 for name in judged}


class Past:
    """The lines, asked one by one."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self.lines = [{**line, "agents": set(line["agents"])} for line in lines]

    def of(self, drugs: set[str], *settings: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["agents"] & drugs and (not settings or line["setting"] in settings)]

    def had(self, drugs: set[str]) -> bool:
        return bool(self.of(drugs))

    def adv(self, drugs: set[str]) -> int:
        return len(self.of(drugs, "advanced"))

    def early(self, drugs: set[str]) -> list[dict[str, Any]]:
        return self.of(drugs, "neoadjuvant", "adjuvant")

    def failed(self, *drugs: str, why: tuple[str, ...] = ("progression",)) -> bool:
        return any(str(line["stop_reason"]) in why for line in self.of(set(drugs)))


def since(lines: list[dict[str, Any]]) -> float | None:
    """Months from the last of these lines to the relapse; None without any."""
    if not lines:
        return None
    if any(line["stop_reason"] == "progression" for line in lines):
        return 0
    return (RELAPSED - max(date.fromisoformat(line["ended_on"]) for line in lines)) / MONTH


def expected(f: dict[str, Any]) -> dict[str, bool]:
    past = Past(f["prior_therapies"])
    abc = f["disease_extent"] != "early_or_resectable"
    her2 = abc and f["her2_ihc"] in {"2+", "3+"}
    negative = abc and not her2
    er, hr = f["er_status"] == "positive", "positive" in {f["er_status"], f["pr_status"]}
    luminal, triple = negative and hr, negative and not hr
    chemo, endocrine, anti = past.adv(CHEMO), past.adv(ENDOCRINE), len(past.of(ANTI_HER2))
    anthracycline, taxane = past.had(ANTHRACYCLINES), past.had(TAXANES)
    no_a, no_t = f["anthracycline_unsuitable"], f["taxane_unsuitable"]
    hormones = not hr or past.had(ENDOCRINE) or f["endocrine_unsuitable"]

    def tolerated_not(line: dict[str, Any]) -> bool:
        return bool(line["stop_reason"] == "toxicity" and line["months"] <= 6)

    others = [line for line in past.of(CDK) if not tolerated_not(line)]
    adjuvant = [line for line in others if line["setting"] == "adjuvant" and "abemaciclib" in line["agents"]]
    gap = since(adjuvant)
    cdk46 = len(others) == len(adjuvant) and (gap is None or gap >= 12)
    count = [line for line in past.of(ENDOCRINE, "advanced") if not (line["agents"] & CDK and tolerated_not(line))]
    first = luminal and not count and cdk46
    after = since(past.early(ENDOCRINE))
    relapsed = (endocrine == 0 and after is not None and after <= 12) or (
        endocrine == 1 and past.of(ENDOCRINE, "advanced")[0]["stop_reason"] == "progression"
    )
    off = f["sex"] == "male" or f["menopausal_status"] == "post"
    partner = luminal and not past.had(CDK) and relapsed and (off or f["ovarian_suppression"]) and f["ecog"] <= 2
    best = partner and f["exemestane_everolimus_best_alternative"]
    ai = [line for line in past.of(CDK) if line["agents"] & {*NSAI, "exemestane"}]
    after_ai = luminal and any(line["stop_reason"] == "progression" for line in ai)
    year = [line for line in past.of(CDK) if line["agents"] & ENDOCRINE and line["months"] >= 12]
    altered = [f[gene] == "pathogenic" for gene in ("pik3ca", "akt1", "pten")]
    last_anti, last = since(past.early(ANTI_HER2)), since([one for one in past.lines if one["setting"] != "advanced"])
    brca = negative and f["gbrca"] == "pathogenic" and hormones
    both = (anthracycline or no_a) and (taxane or no_t)
    n_adv = len([line for line in past.lines if line["setting"] == "advanced"])
    strong = her2 and f["her2_ihc"] == "3+"
    out = ("progression", "toxicity")
    return {
        "TA495": first and not past.failed("palbociclib", why=out),
        "TA496": first and not past.failed("ribociclib", why=out),
        "TA563": first and not past.failed("abemaciclib", why=out),
        "TA836": partner, "TA725": best, "TA687": best,
        "TA421": luminal and past.had(NSAI | {"exemestane"}) and f["menopausal_status"] == "post"
        and not f["symptomatic_visceral_disease"] and not past.failed("everolimus"),
        "TA1063": after_ai and any(altered) and not past.failed("capivasertib"),
        "TA816": after_ai and altered[0] and not past.failed("alpelisib"),
        "TA1036": negative and er and f["esr1"] == "pathogenic" and off and not past.failed("elacestrant")
        and any(line["stop_reason"] == "progression" for line in year),
        "TA1040": brca and both and not past.failed("olaparib"),
        "TA952": brca and (anthracycline or taxane or (no_a and no_t)),
        "TA509": her2 and chemo == 0 and past.adv(ANTI_HER2) == 0 and (last_anti is None or last_anti > 12)
        and f["ecog"] <= 1 and f["lvef_pct"] >= 50 and not past.failed("pertuzumab"),
        "TA34 1.7.8": strong and chemo == 0 and no_a and not past.failed("trastuzumab"),
        "TA34 1.7.11": strong and chemo >= 2 and both and (not er or past.had(ENDOCRINE) or f["endocrine_unsuitable"])
        and not past.failed("trastuzumab"),
        "TA862": her2 and anti >= 1 and not past.failed(TDXD),
        "TA704": her2 and anti >= 2 and not past.failed(TDXD),
        "TA786": her2 and anti >= 2 and not past.failed("tucatinib"),
        "TA458": her2 and past.had({"trastuzumab"}) and taxane and not past.failed(TDM1)
        and (n_adv >= 1 or (last is not None and last <= 6)),
        "TA801": triple and chemo == 0 and f["pd_l1_cps"] >= 10 and f["pd_l1_ic_pct"] < 1
        and not past.failed("pembrolizumab"),
        "TA639": triple and chemo == 0 and f["pd_l1_ic_pct"] >= 1,
        "TA819": triple and len(past.lines) >= 2 and n_adv >= 1 and not past.failed("sacituzumab govitecan"),
        "TA423": abc and chemo >= 2 and not past.failed("eribulin"),
        "TA116": f["disease_extent"] == "metastatic" and f["docetaxel_suitable"] and not past.failed("gemcitabine"),
        "TA630": abc and f["ntrk_fusion"] == "positive" and not f["other_satisfactory_options"],
        "TA265": f["bone_mets"] == "present" and f["age_years"] >= 18 and f["bisphosphonate_would_be_prescribed"],
    }  # fmt: skip


def test_the_appraisals_say_what_the_digest_says() -> None:
    assert LIBRARY.appraisals is not None
    random, told = Random(20261123), Counter[str]()
    rows = [row for row in LIBRARY.appraisals.appraisals if row.status != "not_recommended"]
    for _ in range(500):
        facts = somebody(random)
        try:
            picture = read_person(facts, LIBRARY.dictionary, AT).picture
        except FactFileError:
            continue
        wanted = expected(facts)
        for row in rows:
            found = next(one for one in rule_on(LIBRARY.appraisals, row.rules[0], picture, AT.date())
                         if one.appraisal is row)  # fmt: skip
            number = next(rule.number for rule in LIBRARY.guideline.rules if rule.rule_id == row.rules[0])
            name = row.ta if row.ta in wanted else f"{row.ta} {number}"
            yes = "eligible_managed_access" if row.status == "managed_access" else "eligible"
            assert found.verdict == (yes if wanted[name] else "not_eligible"), (name, facts)
            told[name] += wanted[name]
    assert len(told) == len(rows)
    assert min(told.values()) > 0, told


def verdicts(facts: dict[str, Any]) -> dict[tuple[str, str], str]:
    assert LIBRARY.appraisals is not None
    picture = read_person(facts, LIBRARY.dictionary, AT).picture
    rules = dict.fromkeys(rule_id for row in LIBRARY.appraisals.appraisals for rule_id in row.rules)
    return {(rule_id, one.appraisal.drug): one.verdict for rule_id in rules
            for one in rule_on(LIBRARY.appraisals, rule_id, picture, AT.date())}  # fmt: skip


EXCUSES = {"anthracycline_unsuitable", "taxane_unsuitable", "endocrine_unsuitable"}


def less(facts: dict[str, Any], random: Random) -> dict[str, Any]:
    """The same person, of whom something is not known: a fact, or a part of a line of treatment."""
    lines = [dict(line) for line in facts["prior_therapies"]]
    for line in random.sample(lines, random.randrange(len(lines) + 1)):
        part = random.choice(["months", "stop_reason", "agents", "a drug", "ended_on"])
        if part == "a drug":
            line["agents"] = [*line["agents"][:-1], "newdrug"]
        elif part == "agents":
            line["agents"] = []
        else:
            line.pop(part, None)
    gone = set(random.sample(sorted(facts.keys() - EXCUSES), random.choice([0, 0, 1, 2])))
    return {name: value for name, value in {**facts, "prior_therapies": lines}.items() if name not in gone}


def test_who_is_known_less_well_gets_the_same_verdict_or_none() -> None:
    random, open_ = Random(5), 0
    for _ in range(400):
        facts = somebody(random)
        try:
            before, after = verdicts(facts), verdicts(known := less(facts, random))
        except FactFileError:
            continue
        for asked, verdict in after.items():
            assert verdict in {before[asked], "unknown"}, (asked, before[asked], facts, known)
            open_ += verdict == "unknown"
    assert open_ > 100
