"""A made-up catalogue of any size, as aspects: words repeat as in real ones (Zipf's law).

Equal numbers give equal entities. Twenty columns each, a database per two hundred tables, half of
the tables and a third of the columns described, one table in four tagged and owned.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

COLUMNS = 20
TABLES_PER_DATABASE = 200
PLATFORMS = ("postgres", "snowflake", "bigquery", "hive", "mysql")
_SYLLABLES = (
    *("ba", "co", "da", "fe", "gi", "ho", "ju", "ka", "le", "mi", "no", "pa", "qui", "ro", "su"),
    *("ta", "ul", "ve", "wi", "xa", "yo", "ze", "tor", "men", "lin", "der", "sal", "per"),
)
_WORDS = 20_000


@lru_cache(maxsize=_WORDS)
def word(rank: int) -> str:
    """The word of a rank (0 is the most frequent), distinct for ranks below 20,000."""
    base = len(_SYLLABLES)
    picks, left = [], rank + base
    while left:
        left, pick = divmod(left, base)
        picks.append(_SYLLABLES[pick])
    return "".join(picks)


def words(chance: np.random.Generator, count: int) -> list[str]:
    ranks = np.minimum((chance.pareto(0.8, count) * 5).astype(int), _WORDS - 1)
    return [word(int(rank)) for rank in ranks]


def dataset_urn(number: int) -> str:
    chance = np.random.default_rng(number)
    database = number // TABLES_PER_DATABASE
    name = f"{word(database)}_db.{'_'.join(words(chance, 2))}_{number:06d}"
    platform = PLATFORMS[database % len(PLATFORMS)]
    return f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},PROD)"


def dataset_aspects(number: int) -> dict[str, dict[str, Any]]:
    """The aspects of a dataset by name, each under `value`, as DataHub answers them."""
    chance = np.random.default_rng(number + 1_000_000)
    name = dataset_urn(number).split(",")[1].rpartition(".")[2]
    description = " ".join(words(chance, 20)) + "." if number % 2 else ""
    fields = [
        {
            "fieldPath": "_".join([*words(chance, 2), str(at)]),
            "nullable": True,
            "type": {"type": {"com.linkedin.schema.StringType": {}}},
            "nativeDataType": "text",
            "description": " ".join(words(chance, 6)) if at % 3 == 0 else "",
        }
        for at in range(COLUMNS)
    ]
    aspects: dict[str, Any] = {
        "datasetProperties": {"name": name, "description": description},
        "schemaMetadata": {"schemaName": name, "fields": fields},
    }
    if number % 4 == 0:
        aspects["globalTags"] = {"tags": [{"tag": f"urn:li:tag:{word(number % 50)}"}]}
        owner = {"owner": f"urn:li:corpGroup:{word(number % 90)}", "type": "DATAOWNER"}
        aspects["ownership"] = {"owners": [owner]}
    return {aspect: {"value": value} for aspect, value in aspects.items()}


def questions(count: int, *, seed: int = 7) -> list[str]:
    """Distinct questions of four to seven words."""
    chance = np.random.default_rng(seed)
    return [
        " ".join(["which", *words(chance, int(chance.integers(3, 6))), str(number)])
        for number in range(count)
    ]
