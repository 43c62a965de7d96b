"""Encrypts the secrets that people keep in the hub, with a key in the hub's folder."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from dataspoke.core.errors import FatalError


class Cipher:
    """Encryption with the key of one folder; the key is made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "secrets.key"

    def encrypt(self, text: str) -> str:
        """A text that only this folder can read. Raises FatalError without the key."""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, text: str) -> str:
        """What was encrypted. Raises FatalError when it was with another key, or is damaged."""
        try:
            return self._fernet.decrypt(text.encode()).decode()
        except InvalidToken as exc:
            raise FatalError(
                f"Cannot read a secret of the hub: it was not encrypted with {self._path}. "
                "Put back the key that belongs to this folder, or set the secret anew."
            ) from exc

    @cached_property
    def _fernet(self) -> Fernet:
        try:
            try:
                with os.fdopen(
                    os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
                ) as file:
                    file.write(Fernet.generate_key())
            except FileExistsError:
                pass
            return Fernet(self._path.read_bytes())
        except (OSError, ValueError) as exc:
            raise FatalError(
                f"Cannot read the hub's key {self._path}: {exc}. Put it back, or remove it and "
                "set all secrets anew."
            ) from exc
