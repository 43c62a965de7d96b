"""What the source did with each line, and why."""

from __future__ import annotations

from dataclasses import dataclass, field

from datahub.ingestion.api.source import SourceReport
from datahub.sql_parsing.sql_parsing_aggregator import SqlAggregatorReport
from datahub.utilities.lossy_collections import LossyList
from datahub.utilities.stats_collections import TopKDict, int_top_k_dict


@dataclass
class QueryLogReport(SourceReport):
    """Every line is in exactly one of the counters below `lines_read`."""

    files_read: list[str] = field(default_factory=list)
    lines_read: int = 0
    lines_unreadable: int = 0
    unreadable_samples: LossyList[str] = field(default_factory=LossyList)
    lines_not_a_statement: int = 0
    statements_without_tables: int = 0
    statements_outside_the_window: int = 0
    statements_of_other_databases: int = 0
    statements_of_ignored_users: int = 0
    statements_used: int = 0
    statements_by_user: TopKDict[str, int] = field(default_factory=int_top_k_dict)
    sql_aggregator: SqlAggregatorReport | None = None
