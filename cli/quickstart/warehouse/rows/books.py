"""Rows of schema `catalog`: a backlist, and one new title a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from dataspoke.cli.quickstart.warehouse.model import Row
from dataspoke.cli.quickstart.warehouse.rows import words
from dataspoke.cli.quickstart.warehouse.rows.chance import FIRST_DAY, chance, days, euros

BACKLIST = 1_100
AUTHORS = 620
_LANGUAGES = ("de", "de", "de", "en", "en", "fr", "nl")
_FORMATS = ("hardcover", "paperback", "paperback", "paperback", "e-book", "audiobook")


@dataclass(frozen=True, slots=True)
class Book:
    """What other parts of the shop need to know of an edition; `cents` is its price."""

    book_id: int
    published_on: date
    cents: int


def books_through(seed: int, day: date) -> tuple[list[Book], list[Row]]:
    """The range up to `day`, as values and as rows of `catalog.books`."""
    leaves = [row[0] for row in categories() if row[1] is not None]
    backlist = chance(seed, "backlist")
    born = [FIRST_DAY - timedelta(days=backlist.randint(1, 3000)) for _ in range(BACKLIST)]
    born.sort()
    born.extend(days(day))
    books, rows = [], []
    for book_id, published_on in enumerate(born, start=1):
        book, row = _book(chance(seed, "book", book_id), book_id, published_on, leaves)
        books.append(book)
        rows.append(row)
    return books, rows


def _book(
    draw: Random, book_id: int, published_on: date, categories: list[object]
) -> tuple[Book, Row]:
    format_ = draw.choice(_FORMATS)
    cents = draw.randint(7, 32) * 100 + draw.choice((0, 50, 90, 95, 99))
    printed = format_ not in ("e-book", "audiobook")
    row = (
        book_id,
        isbn13(book_id),
        f"{draw.choice(words.TITLE_STARTS)} {draw.choice(words.TITLE_ENDS)}",
        draw.randint(1, len(words.PUBLISHERS)),
        draw.choice(categories),
        draw.choice(_LANGUAGES),
        format_,
        draw.randint(48, 780) if format_ != "audiobook" else None,
        draw.randint(120, 1400) if printed else None,
        published_on,
        euros(cents),
        draw.random() < 0.94,
    )
    return Book(book_id, published_on, cents), row


def isbn13(number: int) -> str:
    """A well-formed ISBN in the range 978-3-99.

    >>> isbn13(1)
    '9783990000014'
    """
    digits = f"97839900{number:04d}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"


def categories() -> list[Row]:
    """The tree of subjects: roots first, so that every parent is there before its children."""
    roots: list[Row] = [
        (number, None, name, number) for number, name in enumerate(words.CATEGORIES, start=1)
    ]
    leaves: list[Row] = []
    for parent, names in enumerate(words.CATEGORIES.values(), start=1):
        for position, name in enumerate(names, start=1):
            leaves.append((len(roots) + len(leaves) + 1, parent, name, position))
    return roots + leaves


def range_rows(seed: int, day: date, books: list[Book]) -> dict[str, list[Row]]:
    """Everything of the schema but `catalog.books`."""
    draw = chance(seed, "publishers")
    publishers: list[Row] = [
        (
            number,
            name,
            draw.choice(("DE", "AT", "CH", "GB", "NL")),
            f"sales@{''.join(filter(str.isalpha, name.lower()))}.example",
            draw.choice((14, 30, 30, 60)),
        )
        for number, name in enumerate(words.PUBLISHERS, start=1)
    ]
    return {
        "catalog.publishers": publishers,
        "catalog.authors": _authors(chance(seed, "authors")),
        "catalog.categories": categories(),
        "catalog.book_authors": _book_authors(seed, books),
        "catalog.price_history": _prices(seed, day, books),
    }


def _authors(draw: Random) -> list[Row]:
    return [
        (
            number,
            f"{draw.choice(words.FIRST_NAMES)} {draw.choice(words.LAST_NAMES)}",
            draw.randint(1931, 1999) if draw.random() < 0.8 else None,
            draw.choice(("DE", "AT", "CH", "GB", "FR", "NL", "SE")),
            f"Lives in {draw.choice(words.CITIES)[0]}." if draw.random() < 0.4 else None,
        )
        for number in range(1, AUTHORS + 1)
    ]


def _book_authors(seed: int, books: list[Book]) -> list[Row]:
    rows: list[Row] = []
    for book in books:
        draw = chance(seed, "book_authors", book.book_id)
        names = draw.sample(range(1, AUTHORS + 1), draw.choice((1, 1, 1, 2)))
        rows.extend((book.book_id, author, place) for place, author in enumerate(names, start=1))
    return rows


def _prices(seed: int, day: date, books: list[Book]) -> list[Row]:
    """Half of the books change their price once; a period ends the day before the next."""
    rows: list[Row] = []
    for book in books:
        draw = chance(seed, "prices", book.book_id)
        change = book.published_on + timedelta(days=draw.randint(60, 2400))
        later = euros(int(book.cents * draw.choice((0.5, 0.8, 1.1))))
        if draw.random() < 0.5 and change <= day:
            end = change - timedelta(days=1)
            rows.append((book.book_id, book.published_on, end, euros(book.cents)))
            rows.append((book.book_id, change, None, later))
        else:
            rows.append((book.book_id, book.published_on, None, euros(book.cents)))
    return rows
