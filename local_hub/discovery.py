"""Everything that is read from the search index, as one object."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dataspoke.local_hub.access.door import Access
from dataspoke.local_hub.graphql.execute import GraphQL
from dataspoke.local_hub.hub import Hub
from dataspoke.local_hub.relationships import Lineage
from dataspoke.local_hub.search import Search
from dataspoke.local_hub.search_store import SearchStore


@dataclass(frozen=True)
class Discovery:
    """Search, lineage and GraphQL over one index."""

    index: SearchStore
    search: Search
    lineage: Lineage
    graphql: GraphQL

    @classmethod
    def open(cls, folder: Path, hub: Hub, access: Access) -> Discovery:
        """Open the index beside the hub's database."""
        index = SearchStore(folder, hub.registry, hub.store)
        search = Search(index, hub.registry)
        lineage = Lineage(hub.registry)
        return cls(index, search, lineage, GraphQL(hub, index, search, lineage, access))

    def close(self) -> None:
        """Stop following the change log; before the hub is closed."""
        self.index.close()
