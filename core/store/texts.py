"""Which texts both databases can keep: valid Unicode without NUL, and short if it is a key."""

from __future__ import annotations

# PostgreSQL cannot index a longer text; DataHub's own limit for a urn is 512 bytes.
MAX_KEY_BYTES = 2_000


def is_key(text: str) -> bool:
    """Whether the text may be a key on both engines."""
    try:
        return len(text.encode()) <= MAX_KEY_BYTES and "\0" not in text
    except UnicodeEncodeError:  # a lone surrogate
        return False


def storable(text: str) -> str:
    """The text with a mark for each character that a database refuses."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def as_key(text: str) -> str:
    """The text, changed and cut as far as needed to be a key."""
    return storable(text).encode()[:MAX_KEY_BYTES].decode(errors="ignore")
