"""Who sees what, written down in a YAML file: the alternative to DataHub's policies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dataspoke.core.errors import ConfigError
from dataspoke.core.index.model import Condition
from dataspoke.search_service.access.caller import USER_PREFIX, Caller
from dataspoke.search_service.filters import FilterError, conditions, parse_filter


class _Who(BaseModel):
    """Whom a rule is for: any of these."""

    model_config = ConfigDict(extra="forbid", strict=True)

    everyone: bool = False
    users: list[str] = []
    groups: list[str] = []
    roles: list[str] = []

    def includes(self, caller: Caller) -> bool:
        subject = caller.subject.removeprefix(USER_PREFIX)
        return (
            self.everyone
            or not {caller.subject, subject}.isdisjoint(self.users)
            or not caller.groups.isdisjoint(self.groups)
            or not caller.roles.isdisjoint(self.roles)
        )


class _Rule(BaseModel):
    """`show` is `everything`, or filters as on a URL, all of which must hold."""

    model_config = ConfigDict(extra="forbid", strict=True)

    who: _Who
    show: Literal["everything"] | list[str] = Field(min_length=1)


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    rules: list[_Rule]


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """Rules that each show something; nothing else is shown."""

    rules: tuple[tuple[_Who, tuple[Condition, ...]], ...]

    @classmethod
    def read(cls, path: Path) -> PolicyFile:
        """Raises ConfigError for a file that is not there or says something else than rules."""
        try:
            content = _Content.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
            return cls(tuple((rule.who, _shown(rule)) for rule in content.rules))
        except OSError as exc:
            raise _unusable(path, exc.strerror or str(exc)) from exc
        except ValidationError as exc:
            first = exc.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise _unusable(path, f"{place}: {first['msg']}") from exc
        except (yaml.YAMLError, FilterError, UnicodeDecodeError) as exc:
            raise _unusable(path, " ".join(str(exc).split()).rstrip(".")) from exc

    def conditions_for(self, caller: Caller) -> tuple[Condition, ...] | None:
        """What an entity must fulfil; None when the caller sees everything."""
        shown = [what for who, what in self.rules if who.includes(caller)]
        return None if () in shown else (Condition.any_of(*shown),)


def _shown(rule: _Rule) -> tuple[Condition, ...]:
    if rule.show == "everything":
        return ()
    return tuple(one for text in rule.show for one in conditions(parse_filter(text)))


def _unusable(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        f"Cannot use the policy file {path}: {reason}. docs/security.md shows its form."
    )
