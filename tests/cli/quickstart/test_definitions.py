"""The definitions of the book shop: what a catalogue is to find in them."""

from __future__ import annotations

import doctest

import pytest

from dataspoke.cli.quickstart import flow, report
from dataspoke.cli.quickstart.warehouse.governance import PII_KINDS
from dataspoke.cli.quickstart.warehouse.model import Table, View, create_statements
from dataspoke.cli.quickstart.warehouse.schemas import SCHEMAS

RELATIONS = [relation for schema in SCHEMAS for relation in schema.relations]
BY_NAME = {relation.qualified_name: relation for relation in RELATIONS}


def test_six_schemas_hold_some_thirty_tables_and_views() -> None:
    assert len(SCHEMAS) == 6
    assert sum(isinstance(relation, Table) for relation in RELATIONS) >= 25
    assert sum(isinstance(relation, View) for relation in RELATIONS) >= 8


def test_names_are_unique_and_say_their_schema() -> None:
    assert len(BY_NAME) == len(RELATIONS)
    for schema in SCHEMAS:
        assert {relation.schema for relation in schema.relations} == {schema.name}


def test_all_tables_but_a_forgotten_one_have_a_comment() -> None:
    without = [name for name, relation in BY_NAME.items() if not relation.comment]
    assert without == ["analytics.tmp_export_0314"]


def test_most_columns_but_not_all_have_a_comment() -> None:
    columns = [
        column for table in RELATIONS if isinstance(table, Table) for column in table.columns
    ]
    commented = sum(bool(column.comment) for column in columns)
    assert 0.8 < commented / len(columns) < 0.97


def test_all_real_tables_have_keys() -> None:
    without = [
        name
        for name, relation in BY_NAME.items()
        if isinstance(relation, Table) and not relation.primary_key
    ]
    assert without == ["analytics.tmp_export_0314"]
    assert sum(len(each.foreign_keys) for each in RELATIONS if isinstance(each, Table)) >= 20


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [
        ("crm.customers", "email", "email"),
        ("crm.customers", "phone", "phone"),
        ("crm.customers", "birth_date", "birth_date"),
        ("crm.customers", "last_name", "name"),
        ("crm.postal_addresses", "street", "address"),
        ("crm.payment_methods", "iban_last4", "bank_account"),
        ("marketing.newsletter_subscriptions", "subscriber_email", "email"),
        ("catalog.publishers", "contact_email", ""),
        ("sales.orders", "customer_id", ""),
    ],
)
def test_personal_data_is_marked(table: str, column: str, kind: str) -> None:
    found = {each.name: each.pii for each in BY_NAME[table].columns}
    assert found[column] == kind


def test_every_kind_of_personal_data_has_a_term() -> None:
    used = {column.pii for relation in RELATIONS for column in relation.columns} - {""}
    assert used == set(PII_KINDS)


def test_quotes_in_comments_are_escaped() -> None:
    statements = list(create_statements(SCHEMAS))
    assert all(statement.count("'") % 2 == 0 for statement in statements)


@pytest.mark.parametrize("module", [flow, report])
def test_the_examples_in_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
