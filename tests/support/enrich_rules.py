"""One dataset and rules for it, as the tests of `dataspoke-enrich` use them."""

from __future__ import annotations

from typing import Any

URN = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.crm.customers,PROD)"

CONFIG: dict[str, Any] = {
    "rules": [
        {
            "match": {"platform": "postgres", "name": r"shop\.crm\..*"},
            "add": {"tags": ["crm"], "terms": ["customer"], "owners": ["group:crm"],
                    "domain": "sales"},
        },
        {"match": {"column": ".*email.*"}, "add": {"tags": ["PII"], "terms": ["email"]}},
    ]
}  # fmt: skip
