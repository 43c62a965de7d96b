"""Schema `catalog`: what the shop sells."""

from __future__ import annotations

from dataspoke.cli.quickstart.warehouse.model import ForeignKey, Schema, Table, col, ref

CATALOG = Schema(
    name="catalog",
    comment="Books, their authors and publishers, and what they cost.",
    tables=(
        Table(
            "catalog",
            "publishers",
            "Publishing houses that the shop buys from.",
            (
                col("publisher_id", "integer", "Surrogate key."),
                col("name", "text", "Trading name of the house."),
                col("country_code", "char(2)", "Country of the head office, ISO 3166-1 alpha-2."),
                col(
                    "contact_email",
                    "text",
                    "Mailbox of the house's sales desk, not of a person.",
                ),
                col("payment_terms_days", "integer", "Days between invoice and due date."),
            ),
            ("publisher_id",),
        ),
        Table(
            "catalog",
            "authors",
            "People who write the books, under the name that is printed on the cover.",
            (
                col("author_id", "integer", "Surrogate key."),
                col("pen_name", "text", "Name as printed on the cover."),
                col(
                    "birth_year",
                    "integer",
                    "Year of birth where the publisher tells it.",
                    null=True,
                ),
                col("country_code", "char(2)"),
                col("biography", "text", "Short text for the book page.", null=True),
            ),
            ("author_id",),
        ),
        Table(
            "catalog",
            "categories",
            "Tree of subjects under which books are shelved and browsed.",
            (
                col("category_id", "integer", "Surrogate key."),
                col("parent_id", "integer", "Category above; empty for a root.", null=True),
                col("name", "text", "Label in the shop's menu."),
                col("position", "integer"),
            ),
            ("category_id",),
            (ref("parent_id", "catalog.categories", "category_id"),),
        ),
        Table(
            "catalog",
            "books",
            "Every title on sale, one row per edition. The master record of the range.",
            (
                col("book_id", "integer", "Surrogate key."),
                col("isbn13", "char(13)", "International Standard Book Number without hyphens."),
                col("title", "text", "Title as printed."),
                col("publisher_id", "integer", "Publishing house of this edition."),
                col("category_id", "integer", "Main subject."),
                col("language", "char(2)", "Language of the text, ISO 639-1."),
                col("format", "text", "hardcover, paperback, e-book or audiobook."),
                col("page_count", "integer", "Printed pages; empty for audiobooks.", null=True),
                col("weight_grams", "integer", null=True),
                col("published_on", "date", "First day on sale."),
                col("list_price_eur", "numeric(8,2)", "Price on the cover in euros, VAT included."),
                col("is_active", "boolean", "False once the edition is out of print."),
            ),
            ("book_id",),
            (
                ref("publisher_id", "catalog.publishers"),
                ref("category_id", "catalog.categories"),
            ),
        ),
        Table(
            "catalog",
            "book_authors",
            "Who wrote which book, in the order of the names on the cover.",
            (
                col("book_id", "integer"),
                col("author_id", "integer"),
                col("position", "integer", "1 for the first name on the cover."),
            ),
            ("book_id", "author_id"),
            (ref("book_id", "catalog.books"), ref("author_id", "catalog.authors")),
        ),
        Table(
            "catalog",
            "price_history",
            "Selling price of every book over time; periods of one book do not overlap.",
            (
                col("book_id", "integer", "Book the price belongs to."),
                col("valid_from", "date", "First day of this price."),
                col("valid_to", "date", "Last day of this price; empty while current.", null=True),
                col("price_eur", "numeric(8,2)", "Selling price in euros, VAT included."),
            ),
            ("book_id", "valid_from"),
            (ForeignKey(("book_id",), "catalog.books", ("book_id",)),),
        ),
    ),
)
