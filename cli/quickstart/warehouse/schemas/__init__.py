"""The schemas of the book shop, one module each, in the order in which they are created."""

from __future__ import annotations

from dataspoke.cli.quickstart.warehouse.model import Schema
from dataspoke.cli.quickstart.warehouse.schemas.analytics import ANALYTICS
from dataspoke.cli.quickstart.warehouse.schemas.catalog import CATALOG
from dataspoke.cli.quickstart.warehouse.schemas.crm import CRM
from dataspoke.cli.quickstart.warehouse.schemas.marketing import MARKETING
from dataspoke.cli.quickstart.warehouse.schemas.sales import SALES
from dataspoke.cli.quickstart.warehouse.schemas.shipping import SHIPPING

SCHEMAS: tuple[Schema, ...] = (CATALOG, CRM, SALES, SHIPPING, MARKETING, ANALYTICS)
