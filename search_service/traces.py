"""OpenTelemetry traces, where the extra `otel` is installed and an exporter is set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import time_ns
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope

from dataspoke.core.errors import require

_NAME = "dataspoke.search_service"


class Traces:
    """Spans of requests and of their stages. `provider` is OpenTelemetry's TracerProvider."""

    def __init__(self, provider: Any) -> None:
        api = require("opentelemetry.trace", extra="otel", purpose="write traces")
        propagate = require("opentelemetry.propagate", extra="otel", purpose="write traces")
        self._extract = propagate.extract
        self._kind = api.SpanKind.SERVER
        self._tracer = provider.get_tracer(_NAME)

    @contextmanager
    def span(self, scope: Scope) -> Iterator[Any]:
        """Around one request; goes on with the trace of its caller."""
        context = self._extract(dict(Headers(scope=scope)))
        attributes = {"http.request.method": scope["method"], "url.path": scope["path"]}
        name = f"{scope['method']} {scope['path']}"
        with self._tracer.start_as_current_span(
            name, context=context, kind=self._kind, attributes=attributes
        ) as span:
            yield span

    def stages(self, seconds: Mapping[str, float]) -> None:
        """Stages of the current request that ended just now, one after the other."""
        end = time_ns()
        start = end - int(sum(seconds.values()) * 1e9)
        for name, duration in seconds.items():
            until = start + int(duration * 1e9)
            self._tracer.start_span(f"search {name}", start_time=start).end(end_time=until)
            start = until


def open_traces(environ: Mapping[str, str]) -> Traces | None:
    """Traces to where OTEL_EXPORTER_OTLP_ENDPOINT says, None when it says nothing; further
    settings are OpenTelemetry's own. Raises MissingExtraError."""
    wanted = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if not any(environ.get(name) for name in wanted) or environ.get("OTEL_SDK_DISABLED") == "true":
        return None
    exporters = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    exporter = require(exporters, extra="otel", purpose="write traces")
    sdk = require("opentelemetry.sdk.trace", extra="otel", purpose="write traces")
    export = require("opentelemetry.sdk.trace.export", extra="otel", purpose="write traces")
    resources = require("opentelemetry.sdk.resources", extra="otel", purpose="write traces")
    name = environ.get("OTEL_SERVICE_NAME") or "dataspoke-search"
    provider = sdk.TracerProvider(resource=resources.Resource.create({"service.name": name}))
    provider.add_span_processor(export.BatchSpanProcessor(exporter.OTLPSpanExporter()))
    return Traces(provider)
