"""The source `dataspoke-query-log`: PostgreSQL's own logs become usage and lineage.

DataHub's `postgres` source reads `pg_stat_statements`, which knows neither when nor by whom a
query ran, so that it can give no usage. The server's log knows both.

Loading this module needs no extra: the framework answers a failed import with advice that does
not fit us, so that what may be missing is asked for when the source is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from datahub.ingestion.api.common import PipelineContext
from datahub.ingestion.api.decorators import (
    SourceCapability,
    SupportStatus,
    capability,
    platform_name,
    support_status,
)
from datahub.ingestion.api.source import (
    CapabilityReport,
    TestableSource,
    TestConnectionReport,
)

from dataspoke.core.errors import require
from dataspoke.core.recipe import one_sentence, read_section

if TYPE_CHECKING:
    from datahub.emitter.mcp import MetadataChangeProposalWrapper

    from dataspoke.ingestion_sources.query_log.config import QueryLogConfig
    from dataspoke.ingestion_sources.query_log.report import QueryLogReport

_PATH = "source.config"


@platform_name("PostgreSQL query log", id="dataspoke-query-log")
@support_status(SupportStatus.ALPHA)
@capability(SourceCapability.USAGE_STATS, "Who queried what, how often, with which queries")
@capability(SourceCapability.LINEAGE_COARSE, "From INSERT … SELECT, CREATE TABLE AS, MERGE")
@capability(SourceCapability.LINEAGE_FINE, "Where DataHub knows the columns of the tables")
@capability(SourceCapability.OPERATION_CAPTURE, "From statements that write")
@capability(SourceCapability.TEST_CONNECTION, "Looks for the files")
class QueryLogSource(TestableSource):
    """Reads jsonlog and csvlog files, plain or gzipped, with plain statements or pgaudit's."""

    def __init__(self, config: QueryLogConfig, ctx: PipelineContext) -> None:
        super().__init__(ctx)
        from dataspoke.ingestion_sources.query_log.reading import LogReading

        self._reading = LogReading(config, ctx)
        self.report = self._reading.report

    @classmethod
    def get_config_class(cls) -> type[QueryLogConfig]:
        """What `source.config` may hold. Raises MissingExtraError."""
        for module in ("sqlglot", "sqlparse"):
            require(module, extra="postgres", purpose="read query logs")
        from dataspoke.ingestion_sources.query_log.config import QueryLogConfig

        return QueryLogConfig

    @classmethod
    def create(cls, config_dict: dict[str, Any], ctx: PipelineContext) -> QueryLogSource:
        """What is wrong in the recipe ends the process with one sentence."""
        with one_sentence():
            return cls(read_section(cls.get_config_class(), config_dict, path=_PATH), ctx)

    @staticmethod
    def test_connection(config_dict: dict[str, Any]) -> TestConnectionReport:
        with one_sentence():
            config_class = QueryLogSource.get_config_class()
            config = read_section(config_class, config_dict, path=_PATH)
        from dataspoke.ingestion_sources.query_log.reading import matching

        missing = [pattern for pattern in config.files if not matching(pattern)]
        return TestConnectionReport(
            basic_connectivity=CapabilityReport(
                capable=not missing,
                failure_reason=f"No file matches {', '.join(missing)}." if missing else None,
                mitigation_message="Correct source.config.files, or run where the logs are."
                if missing
                else None,
            )
        )

    def get_report(self) -> QueryLogReport:
        return self.report

    def get_workunits_internal(self) -> Iterable[MetadataChangeProposalWrapper]:
        self._reading.read_all()
        yield from self._reading.results()

    def close(self) -> None:
        self._reading.close()
        super().close()
