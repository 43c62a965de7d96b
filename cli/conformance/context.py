"""What a check works with: names of its own, writes, reads, and patient questions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from dataspoke.cli.conformance.expect import expect_status, message_of, shown
from dataspoke.cli.conformance.http import Http, Reply, quoted
from dataspoke.cli.conformance.model import Mode, NotPermitted, Skip, Unmet
from dataspoke.cli.conformance.permissions import privilege_for
from dataspoke.cli.conformance.target import EXPECTED, Target, now_millis

if TYPE_CHECKING:
    from datahub.ingestion.graph.client import DataHubGraph

T = TypeVar("T")

_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 1.0
_UNDEFINED = ("FieldUndefined", "UnknownType", "Cannot query field", "Unknown argument")


class Context:
    """One check in one mode. A check without a mode writes over OpenAPI.

    All urns come from `urn` and its kin, which write them down before they are used.
    """

    def __init__(self, target: Target, check_id: str, mode: Mode | None) -> None:
        self.target = target
        self.mode = mode or Mode.OPENAPI
        suffix = "" if mode is None else f"_{mode.value}"
        self._scope = f"{check_id.replace('.', '_')}{suffix}"

    # Names

    @property
    def http(self) -> Http:
        return self.target.http

    @property
    def graph(self) -> DataHubGraph:
        """The stock client in the mode of the check."""
        return self.target.graph(self.mode)

    def name(self, name: str) -> str:
        """A name that no other check and no other run has."""
        return f"{self.target.marker}_{self._scope}_{name}"

    def urn(self, entity_type: str, name: str) -> str:
        """The urn of an entity of a type with a simple id, such as a tag."""
        return self.own(f"urn:li:{entity_type}:{self.name(name)}")

    @property
    def platform(self) -> str:
        """The platform of this run's datasets; it is only named, never written."""
        return f"urn:li:dataPlatform:{self.target.marker}"

    def dataset(self, name: str = "orders") -> str:
        """The urn of a dataset on the platform of this run."""
        return self.own(f"urn:li:dataset:({self.platform},{self._scope}.{name},PROD)")

    def own(self, urn: str) -> str:
        """Write down that a urn is this run's, to be deleted at the end."""
        journal = self.target.journal
        assert journal is not None, "a check that writes has writes=True"
        journal.add(urn)
        return urn

    # Writing

    def write(
        self,
        urn: str,
        aspect: str,
        value: Any,
        change: str = "UPSERT",
        *,
        headers: Mapping[str, str] | None = None,
        asynchronous: bool = False,
        run_id: str | None = None,
    ) -> Reply:
        """Write one aspect with the protocol of the mode; the answer may be a refusal."""
        metadata = {"runId": run_id or self.target.run_id, "lastObserved": now_millis()}
        if self.mode is Mode.RESTLI:
            body = {
                "proposal": proposal(urn, aspect, value, change, metadata, headers),
                "async": str(asynchronous).lower(),
            }
            return self.http.post("/aspects", body, action="ingestProposal")
        inside: dict[str, Any] = {"value": value, "systemMetadata": metadata}
        if headers:
            inside["headers"] = dict(headers)
        base = f"/openapi/v3/entity/{entity_type_of(urn)}"
        switches = {"async": str(asynchronous).lower()}
        if change in ("CREATE", "CREATE_ENTITY"):
            switches["createIfNotExists"] = str(change == "CREATE").lower()
            switches["createIfEntityNotExists"] = str(change == "CREATE_ENTITY").lower()
            return self.http.post(f"{base}/{quoted(urn)}/{aspect}", inside, **switches)
        method = {"UPSERT": "POST", "PATCH": "PATCH"}[change]
        return self.http.send(method, base, [{"urn": urn, aspect: inside}], params=switches)

    def put(self, urn: str, aspect: str, value: Any, change: str = "UPSERT", **more: Any) -> None:
        """Write one aspect, which must be taken."""
        reply = self.write(urn, aspect, value, change, **more)
        expect_status(
            f"Wrote {aspect} with {change} over {self.mode}", reply.status, (200, 202), reply.body
        )

    def delete(self, urn: str) -> None:
        """Delete an entity for good, as the stock client does."""
        reply = self.http.post("/entities", {"urn": urn}, action="delete")
        expect_status(f"Deleted {urn}", reply.status, (200,), reply.body)

    # Reading

    def read(self, urn: str, aspect: str, version: int = 0) -> Reply:
        """One aspect with the protocol of the mode, as it is answered."""
        if self.mode is Mode.RESTLI:
            return self.http.get(f"/aspects/{quoted(urn)}", aspect=aspect, version=version)
        path = f"/openapi/v3/entity/{entity_type_of(urn)}/{quoted(urn)}/{aspect}"
        return self.http.get(path, version=version, systemMetadata="true")

    def value(self, urn: str, aspect: str, version: int = 0) -> Any:
        """The value of an aspect, None if there is none."""
        reply = self.read(urn, aspect, version)
        if reply.status == 404:
            return None
        expect_status(f"Read {aspect} over {self.mode}", reply.status, (200,), reply.body)
        if self.mode is Mode.OPENAPI:
            return reply.body["value"]
        return next(iter(reply.body["aspect"].values()))

    def metadata(self, urn: str, aspect: str) -> Mapping[str, Any]:
        """The system metadata of an aspect that is there."""
        wanted = [{"urn": urn, aspect: {}}]
        path = f"/openapi/v3/entity/{entity_type_of(urn)}/batchGet"
        reply = self.http.post(path, wanted, systemMetadata="true")
        expect_status(f"Read {aspect} with its metadata", reply.status, (200,), reply.body)
        try:
            found: Mapping[str, Any] = reply.body[0][aspect]["systemMetadata"]
        except (IndexError, KeyError) as exc:
            raise Unmet(f"Read {aspect} with its metadata; found {shown(reply.body)}.") from exc
        return found

    def exists(self, urn: str, key_aspect: str = "datasetKey") -> bool:
        """Whether the primary store has an entity."""
        reply = self.http.get(f"/aspects/{quoted(urn)}", aspect=key_aspect, version=0)
        expect_status(f"Asked whether {urn} exists", reply.status, (200, 404), reply.body)
        return reply.ok

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a GraphQL answer. Raises Unmet for errors, Skip on an older server."""
        body = {"query": query, "variables": variables}
        reply = self.http.post("/api/graphql", body)
        field = query.partition("{")[2].partition("(")[0].partition("{")[0].strip()
        expect_status(f"Sent {field} to GraphQL", reply.status, (200,), reply.body)
        errors = reply.body.get("errors")
        if not errors:
            data: dict[str, Any] = reply.body["data"]
            return data
        text = " ".join(str(error.get("message")) for error in errors)
        codes = {(error.get("extensions") or {}).get("code") for error in errors}
        if codes & {401, 403} or "Unauthorized" in text:
            raise NotPermitted(
                f"{field} is refused by GraphQL, {shown(text)}",
                privilege_for(f"POST /api/graphql {query}"),
            )
        if self.target.older and any(sign in text for sign in _UNDEFINED):
            raise Skip(f"the server {self.target.version} has no {field} of this form")
        raise Unmet(f"Sent {field} to GraphQL: {shown(text)}.")

    # Patience

    def eventually(self, tried: str, probe: Callable[[], T], *, want: object = True) -> T:
        """Ask until the answer is as wanted: true, or equal to `want`.

        Search index, graph and timeseries follow the primary store. After the patience of the
        run, a later write tells whether they are late or have lost this one. Raises Unmet.
        """
        started = time.monotonic()
        found, met = self._poll(probe, want)
        if met:
            self.target.lags.append(time.monotonic() - started)
            return found
        patience = self.target.patience
        if self.index_follows():
            found, met = _asked(probe, want)
            if met:
                return found
            raise Unmet(
                f"{tried}; found {shown(found)}, still after {patience:g} s. "
                "It is not late: a later write is in the index already."
            )
        raise Unmet(
            f"{tried}; found {shown(found)} after {patience:g} s. The search index lags: a later "
            "write is not in it either. Raise --patience, or look at the MAE consumer."
        )

    def index_follows(self) -> bool:
        """Write something new; whether the search index shows it within the patience."""
        fence = self.dataset(f"fence_{now_millis()}")
        self.put(fence, "datasetProperties", {"name": self.name("fence")})
        return self._poll(lambda: self.indexed("dataset", [fence]), {fence})[1]

    def indexed(self, entity_type: str, urns: Sequence[str]) -> set[str]:
        """Which of these urns the search index shows."""
        criterion = {"field": "urn", "condition": "EQUAL", "values": list(urns)}
        body = {
            "entities": [entity_type],
            "aspects": [],
            "filter": {"and": [{"criteria": [criterion]}]},
        }
        reply = self.http.post(
            "/openapi/v3/entity/scroll", body, count=len(urns) + 1, query="*", skipCache="true"
        )
        expect_status("Scrolled over urns", reply.status, (200,), reply.body)
        return {entity["urn"] for entity in reply.body["entities"]}

    def _poll(self, probe: Callable[[], T], want: object) -> tuple[T, bool]:
        deadline = time.monotonic() + self.target.patience
        pause = _PAUSE_S
        while True:
            found, met = _asked(probe, want)
            if met or time.monotonic() + pause > deadline:
                return found, met
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    # What the server can do

    def need(self, *version: int) -> None:
        """Skip the check on a server that is older than this version."""
        from dataspoke.cli.conformance.target import version_numbers

        numbers = version_numbers(self.target.version)
        if numbers and numbers < version:
            wanted = ".".join(str(number) for number in version)
            raise Skip(f"it came with DataHub {wanted}, the server is {self.target.version}")

    def older_may_lack(self, reply: Reply, what: str) -> None:
        """Skip the check where an older server answers 404 for a route."""
        if reply.status in (404, 405) and self.target.older:
            wanted = ".".join(str(number) for number in EXPECTED)
            raise Skip(
                f"the server {self.target.version} has no {what}; ours is written for {wanted}"
            )


def proposal(
    urn: str,
    aspect: str,
    value: Any,
    change: str,
    metadata: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A MetadataChangeProposal in its rest.li form."""
    kind = "application/json-patch+json" if change == "PATCH" else "application/json"
    return {
        "entityType": entity_type_of(urn),
        "entityUrn": urn,
        "changeType": change,
        "aspectName": aspect,
        "aspect": {"value": json.dumps(value), "contentType": kind},
        "systemMetadata": dict(metadata),
        **({"headers": dict(headers)} if headers else {}),
    }


def entity_type_of(urn: str) -> str:
    return urn.split(":")[2]


def reason_of(reply: Reply) -> str:
    """The server's own words, in one line."""
    return shown(message_of(reply.body))


def _asked(probe: Callable[[], T], want: object) -> tuple[T, bool]:
    found = probe()
    return found, bool(found) if want is True else found == want
