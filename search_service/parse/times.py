"""When a question says that something was changed, in UTC days. Pure.

"In the last 7 days" begins seven days before now; months and years are those of the calendar. A
month without a year is the latest that has begun. Only what stands by a word of change counts:
"sales in the last 7 days" is about sales.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dataspoke.search_service.filters import Filter

RECENT_DAYS = 30
STALE_DAYS = 90

_FIELD = "last_modified"
_MONTHS = "january february march april may june july august september october november december"
_MONTH_OF = {
    name[:length]: at
    for at, name in enumerate(_MONTHS.split(), 1)
    for length in (3, 4, len(name))
    if length <= len(name)
}
_WEEK = "monday tuesday wednesday thursday friday saturday sunday"
_DAYS = _WEEK.split()
_SMALL = "two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {
    **dict.fromkeys(("a", "an", "one", "single"), 1),
    **{word: at for at, word in enumerate(_SMALL.split(), 2)},
    "couple": 2, "couple of": 2, "a couple of": 2, "few": 3, "a few": 3, "several": 5,
    "fourteen": 14, "fifteen": 15, "thirty": 30, "sixty": 60, "ninety": 90, "hundred": 100,
    "a hundred": 100, "twenty": 20, "forty": 40, "fifty": 50, "half a": 0.5,
}  # fmt: skip
_WORDS = "|".join(sorted(_NUMBERS, key=len, reverse=True))
_DAYS_OF = {
    "minute": 0, "min": 0, "hour": 1 / 24, "hr": 1 / 24, "week": 7, "fortnight": 14,
    "month": 30, "quarter": 91, "year": 365, "yr": 365,
}  # fmt: skip
_UNIT = r"(?P<unit{0}>minute|min|hour|hr|day|week|fortnight|month|quarter|year|yr)s?\b"
_COUNT = rf"(?P<count{{0}}>\d{{{{1,4}}}}|{_WORDS})[\s-]+"
_MONTH = r"(?:" + "|".join(sorted(_MONTH_OF, key=len, reverse=True)) + r")\.?"
_DATE = (
    r"(?:(?:the\s+)?(?:start|beginning|first|1st)(?:\s+day)?\s+of\s+)?"
    r"(?P<date{0}>\d{{4}}-\d{{1,2}}(?:-\d{{1,2}})?(?:T[\d:.]+Z?)?|\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}}"
    rf"|\d{{{{1,2}}}}(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTH}(?:,?\s+\d{{{{4}}}})?"
    rf"|(?:last\s+)?{_MONTH}\s+\d{{{{1,2}}}}(?:st|nd|rd|th)?(?:,?\s+\d{{{{4}}}})?(?!\d)"
    rf"|(?:last\s+)?{_MONTH}(?:,?\s+(?:of\s+)?\d{{{{4}}}})?\b|q[1-4](?:\s+(?:of\s+)?\d{{{{4}}}})?"
    rf"|(?:19|20)\d\d\b|yesterday|today|(?:last\s+)?(?:{'|'.join(_DAYS)})"
    r"|(?:this|last|the\s+current)\s+(?:week|month|quarter|year)|new\s+year)"
)
_CHANGED = (
    r"(?:last(?:ly)?\s+|recently\s+)?(?:updated|modified|changed|touched|refreshed|altered|edited|"
    r"reloaded|loaded|written(?:\s+to)?|revised|amended|rewritten|ingested|synced|maintained|"
    r"rebuilt|recomputed|populated|active|moved|received\s+(?:new\s+)?(?:data|updates?|changes?))"
)
_NOUN = (
    r"(?:updates?|changes?|modifications?|edits?|refresh(?:es)?|activity|writes?|"
    r"(?:last\s+)?(?:update|change|modification|refresh|edit|write|load)(?:\s+(?:date|time))?)"
)
_UNCHANGED = (
    r"(?:untouched|unchanged|unmodified|stale|idle|dormant|inactive|unaltered|unrefreshed|"
    r"gathering\s+dust|out\s+of\s+date|abandoned|cold|asleep|quiet)"
)
_FRESH = r"(?:fresh(?:ened)?|changes?|updates?|modify|modifies|refresh(?:es)?|up\s+to\s+date|alive)"
_NOT = (
    r"(?P<not>(?:(?:\w+n['\u2019]?t|not|never|no|without|lacking|cannot|nothing|nobody|no\s+one|noone)\b\s*"
    r"(?:(?:been|had|seen|have|has|any|ever|see|get|got|gotten|were|was|a|single|yet|received?|"
    r"further|more|new)\s+)*))?"
)
_FILLER = (
    r"(?:\s*,?\s+(?:at\s+all|any\s?time|sometime|again|even\s+once|once|on|ever|data|"
    r"in\s+any\s+way))*"
)
_PERIODS = (
    r"(?:(?P<more>(?:for\s+)?(?:more|longer)\s+than|over|at\s+least|older\s+than)|"
    r"(?P<less>less\s+than|fewer\s+than|up\s+to|no\s+more\s+than|at\s+most|not\s+more\s+than|under|"
    r"within|younger\s+than))?\s*(?:the\s+)?" + _COUNT.format(1) + _UNIT.format(1)
    + r"\s+(?P<ago>ago|old|back)",
    r"(?:(?:in|within|during|over|for|throughout|inside|since|any\s?time\s+in|at\s+any\s+point\s+in)"
    r"\s+)?(?:the\s+|these\s+|this\s+|all\s+)?(?P<past>last|past|previous|preceding|latest)\s+"
    r"(?:" + _COUNT.format(2) + r")?" + _UNIT.format(2),
    r"(?:in|within|inside|for|over|during)\s+(?:(?:over|more\s+than|at\s+least|less\s+than|about|"
    r"around|nearly|almost)\s+)?(?P<during>)(?:the\s+)?" + _COUNT.format(3) + _UNIT.format(3),
    r"between\s+(?P<between>)" + _DATE.format(1) + r"\s+and\s+" + _DATE.format(2),
    r"(?P<from>since|after|from|starting|following|later\s+than|newer\s+than|as\s+of)\s+"
    r"(?:the\s+)?" + _DATE.format(3),
    r"(?P<to>before|prior\s+to|until|till|earlier\s+than|older\s+than|up\s+to|by|previous\s+to)\s+"
    r"(?:the\s+)?" + _DATE.format(4),
    r"(?P<at>(?:on|in|during|at|within|over)\s+)?(?:the\s+)?" + _DATE.format(5),
    r"(?P<lately>recently|lately|of\s+late|just\s+now)",
)  # fmt: skip
_LEADS = (
    rf"{_NOT}\b(?:{_CHANGED}|{_NOUN})(?:\s+(?:was|were|is))?{_FILLER}\s*:?\s*",
    rf"\b(?P<un>{_UNCHANGED})(?:\s+(?:data|tables?|datasets?))?{_FILLER}\s*",
    rf"{_NOT}\b(?:{_FRESH}){_FILLER}\s*",
    r"(?P<new>\bnew(?:ly)?\s+(?:\w+\s+)?)",
)
_LEAD_PATTERNS = [re.compile(lead, re.IGNORECASE) for lead in _LEADS]
_PERIOD_PATTERNS = [re.compile(period, re.IGNORECASE) for period in _PERIODS]
_ALONE = (
    (re.compile(r"\b(?:recently|lately|freshly|newly)\s+" + _CHANGED, re.IGNORECASE), False),
    (re.compile(r"\bolder\s+than\s+" + _COUNT.format(3) + _UNIT.format(3), re.IGNORECASE), True),
    (re.compile(r"\b(?:stale|dormant|outdated\s+data)\b", re.IGNORECASE), True),
)


@dataclass(frozen=True, slots=True)
class TimeSaid:
    """Filters on the last change that a stretch of the question states."""

    start: int
    end: int
    filters: tuple[Filter, ...]
    confidence: float


def times_in(text: str, now: datetime) -> list[TimeSaid]:
    """What the question says of the last change, in order, not overlapping."""
    found: list[TimeSaid] = []
    for said in _candidates(text, now):
        if all(said.end <= other.start or other.end <= said.start for other in found):
            found.append(said)
    return sorted(found, key=lambda said: said.start)


def _candidates(text: str, now: datetime) -> Iterator[TimeSaid]:
    for pattern in _LEAD_PATTERNS:
        for lead in pattern.finditer(text):
            for period in _PERIOD_PATTERNS:
                match = period.match(text, lead.end())
                filters = _filters({**lead.groupdict(), **match.groupdict()}, now) if match else ()
                if match and filters:
                    yield TimeSaid(lead.start(), match.end(), filters, 0.85)
                    break
    for pattern, old in _ALONE:
        for match in pattern.finditer(text):
            days = timedelta(days=STALE_DAYS if old else RECENT_DAYS)
            start = (now - days).date()
            if match.groupdict().get("count3"):
                start = _back(match.groupdict(), "3", now)
            yield TimeSaid(match.start(), match.end(), (_since(start, old),), 0.3)


def _filters(got: Mapping[str, str | None], now: datetime) -> tuple[Filter, ...]:
    negated = bool(got.get("not") or got.get("un"))
    if got.get("ago"):
        older = bool(got["more"]) or (got.get("un") is not None and not got["less"])
        return (_since(_back(got, "1", now), older != bool(got.get("not"))),)
    if got.get("past"):
        return (_since(_back(got, "2", now), negated),)
    if "during" in got:
        return (_since(_back(got, "3", now), negated),)
    if got.get("lately"):
        return (_since((now - timedelta(days=RECENT_DAYS)).date(), negated),)
    if "between" in got:
        return _range(_dates(got["date1"] or "", now), _dates(got["date2"] or "", now), negated)
    if got.get("from"):
        return _after(got, now, negated)
    if got.get("to"):
        said = _dates(got["date4"] or "", now)
        return (_since(said[0], not negated),) if said else ()
    said = _dates(got.get("date5") or "", now)
    return _range(said, said, negated)


def _after(got: Mapping[str, str | None], now: datetime, negated: bool) -> tuple[Filter, ...]:
    said = _dates(got["date3"] or "", now)
    if said is None:
        return ()
    excluded = (got["from"] or "").lower() in ("after", "following", "later than", "newer than")
    return (_since(said[1] + timedelta(days=1) if excluded else said[0], negated),)


def _since(day: date, negated: bool) -> Filter:
    return Filter(_FIELD, "gte", (day.isoformat(),), negated)


def _range(
    first: tuple[date, date] | None, last: tuple[date, date] | None, negated: bool
) -> tuple[Filter, ...]:
    """Both ends included. "Not in March" can only be said of the time up to March."""
    if first is None or last is None:
        return ()
    if negated:
        return (_since(first[0], negated=True),)
    return _since(first[0], negated=False), Filter(_FIELD, "lte", (last[1].isoformat(),))


def _back(got: Mapping[str, str | None], which: str, now: datetime) -> date:
    said = (got[f"count{which}"] or "one").lower()
    said = " ".join(said.split())
    count = float(said) if said.isdecimal() else float(_NUMBERS[said])
    unit = (got[f"unit{which}"] or "").lower()
    months = {"month": 1, "quarter": 3, "year": 12, "yr": 12}.get(unit)
    if months and (count * months).is_integer():
        return _months_back(now.date(), int(count * months))
    days = {"minute": 0.0, "min": 0.0, "hour": 1 / 24, "hr": 1 / 24, "week": 7, "fortnight": 14}
    share = days.get(
        unit, {"month": 30.0, "quarter": 91.0, "year": 365.0, "yr": 365.0}.get(unit, 1)
    )
    try:
        return (now - timedelta(days=count * share)).date()
    except OverflowError:
        return date.min


def _months_back(day: date, months: int) -> date:
    total = day.year * 12 + day.month - 1 - months
    year, month = divmod(total, 12)
    if year < 1:
        return date.min
    return date(year, month + 1, min(day.day, _last_day(year, month + 1)))


def _last_day(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def _dates(said: str, now: datetime) -> tuple[date, date] | None:
    """First and last day of what is said; None for no day of the calendar."""
    text = " ".join(said.lower().replace(",", " ").replace(" of ", " ").split())
    try:
        return _relative(text, now.date()) or _absolute(text, now.date())
    except ValueError:
        return None


def _relative(text: str, today: date) -> tuple[date, date] | None:
    if text in ("today", "yesterday"):
        day = today - timedelta(days=int(text == "yesterday"))
        return day, day
    bare = text.removeprefix("last ")
    if bare in _DAYS:
        day = today - timedelta(days=(today.weekday() - _DAYS.index(bare)) % 7 or 7)
        return day, day
    if text == "new year":
        return date(today.year, 1, 1), today
    which, _, unit = text.rpartition(" ")
    if unit not in ("week", "month", "quarter", "year"):
        return None
    starts = {
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
        "quarter": date(today.year, (today.month - 1) // 3 * 3 + 1, 1),
        "year": date(today.year, 1, 1),
    }
    start = starts[unit]
    if which != "last":
        return start, today
    months = {"month": 1, "quarter": 3, "year": 12}.get(unit)
    earlier = _months_back(start, months) if months else start - timedelta(days=7)
    return earlier, start - timedelta(days=1)


def _absolute(text: str, today: date) -> tuple[date, date] | None:
    if re.fullmatch(r"\d{4}", text):
        return date(int(text), 1, 1), date(int(text), 12, 31)
    if match := re.fullmatch(r"q([1-4])(?: (\d{4}))?", text):
        first = int(match[1]) * 3 - 2
        year = int(match[2] or (today.year if first <= today.month else today.year - 1))
        return date(year, first, 1), date(year, first + 2, _last_day(year, first + 2))
    if match := re.match(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?", text):
        return _month_or_day(int(match[1]), int(match[2]), match[3])
    if match := re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./](\d{4})", text):
        return _month_or_day(int(match[3]), int(match[2]), match[1])
    words = [re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", w) for w in text.removeprefix("last ").split()]
    month = next((_MONTH_OF[w.rstrip(".")] for w in words if w.rstrip(".") in _MONTH_OF), None)
    if month is None:
        return None
    numbers = [word for word in words if word.isdecimal()]
    day = next((n for n in numbers if len(n) < 3), None)
    year = next((int(n) for n in numbers if len(n) == 4), 0)
    if not year:
        year = today.year - ((month, int(day or 1)) > (today.month, today.day))
    return _month_or_day(year, month, day)


def _month_or_day(year: int, month: int, day: str | None) -> tuple[date, date]:
    if day is not None:
        exact = date(year, month, int(day))
        return exact, exact
    return date(year, month, 1), date(year, month, _last_day(year, month))
