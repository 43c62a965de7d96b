"""What an operator reads who got something wrong: real processes, one table.

Under `dataspoke` it is one sentence on stderr and exit code 1. Under the stock `datahub` it is
our sentence once, whole, and exit code 1. Adding a case is adding a line.
"""

from __future__ import annotations

import re
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bare_install import without
from hub_process import HubProcess
from logged_process import clean_env, script, wait_until
from sync_stage import Stage, dataset

import dataspoke.recipes
from dataspoke.core.index.embedder import load_embedder
from dataspoke.core.index.open import open_owner
from dataspoke.core.index.spec import spec_for
from dataspoke.core.settings import Settings
from dataspoke.core.store.database import Database
from dataspoke.core.work.model import UNREADABLE_EVENT
from dataspoke.core.work.table import SqlWorkTable

RECIPES = Path(next(iter(dataspoke.recipes.__path__)))
TINY_MODEL = Path(__file__).parent / "core" / "index" / "data" / "tiny-bert"
TOKEN = "the-right-token"
SECRETS = (TOKEN, "wr0ng-token", "s3cret-password")

# What is set wrongly.
AWAY = "http://127.0.0.1:9"
NOISE = {"DATASPOKE_DATABASE_URL": "sqlite:///{here}/noise.db"}
PG_AWAY = {"DATASPOKE_DATABASE_URL": "postgresql://u:s3cret-password@127.0.0.1:9/d"}
FILE_AS_HOME = {"DATASPOKE_HOME": "{here}/file"}

RULE_KEY = (
    r"transformers\[0\]\.config\.rules\[0\]\.match\.nam: .*\(did you mean name\?\)\."
    r".*match knows platform, name, column\.$"
)
INSTALL = r"the library '\w+' is not installed\. Run: pip install 'dataspoke\[{}\]'$"
SEARCH = ("search", "serve", "--port", "0")
RECONCILE = ("index", "reconcile")


@dataclass
class Scene:
    """A hub that wants a token, and a folder full of broken things."""

    folder: Path
    hub: HubProcess
    busy: int
    homes: int = 0
    bare: dict[str, str] = field(default_factory=dict)

    def run(
        self, program: str, *args: str, env: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        self.homes += 1
        home = self.folder / f"home-{self.homes}"
        home.mkdir()
        defaults = {
            "DATAHUB_GMS_URL": self.hub.url,
            "DATAHUB_GMS_TOKEN": TOKEN,
            "DATASPOKE_MODEL": "hash",
            "HF_HUB_OFFLINE": "1",
            "COLUMNS": "100",
        }
        return subprocess.run(
            [script(program), *(self.filled(arg) for arg in args)],
            env=clean_env(home, defaults | {k: self.filled(v) for k, v in env.items()}),
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def filled(self, text: str) -> str:
        return text.replace("{here}", str(self.folder)).replace("{busy}", str(self.busy))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("bad-input")
    _break_things(folder)
    with (
        HubProcess(folder / "hub", token=TOKEN) as hub,
        socket.create_server(("127.0.0.1", 0)) as busy,
    ):
        made = Scene(folder, hub, busy.getsockname()[1])
        made.bare = without(folder / "bare")
        yield made


def _break_things(folder: Path) -> None:
    (folder / "file").write_text("no folder\n")
    (folder / "noise.db").write_bytes(b"no database at all " * 500)
    with closing(sqlite3.connect(folder / "foreign.db")) as foreign:
        foreign.execute("CREATE TABLE invoices (id)")
    database = Database.open(f"sqlite:///{folder / 'damaged.db'}")
    database.close()
    _overwrite_pages(folder / "damaged.db")
    (folder / "empty-model").mkdir()
    shutil.copytree(TINY_MODEL, folder / "damaged-model")
    (folder / "damaged-model" / "model.safetensors").write_bytes(b"half a model")
    for name in ("meta", "shard"):
        settings = Settings.from_env({"DATASPOKE_HOME": str(folder / f"damaged-{name}")})
        open_owner(settings, spec_for(load_embedder("hash"))).close()  # type: ignore[attr-defined]
        (index,) = (path for path in settings.index_dir.iterdir() if path.is_dir())
        if name == "meta":
            (index / "meta.json").write_text("{")
        else:
            shutil.rmtree(index / "shard")
    _write_recipes(folder)


def _overwrite_pages(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\x55" * (len(content) - 4096))


def _write_recipes(folder: Path) -> None:
    action = (RECIPES / "actions" / "vector_sync.yml").read_text()
    log = (RECIPES / "ingest" / "query_log.yml").read_text()
    rule = "{match: {nam: x}, add: {tags: [a]}}"
    rules = f"transformers:\n  - {{type: dataspoke-enrich, config: {{rules: [{rule}]}}}}\n"
    for name, text, old, new in (
        ("action-key", action, "    workers: 2", "    workes: 2"),
        ("action-value", action, "    workers: 2", "    workers: many"),
        ("action-type", action, "dataspoke-vector-sync", "dataspoke-vector-sink"),
        ("source-key", action, "poll_timeout_seconds", "poll_timeout_second"),
        ("source-value", action, "MetadataChangeLog_Versioned_v1", "MetadataChangeLog_v1"),
        ("log-key", log, "ignore_users", "ignore_user"),
        ("log-value", log, "[datahub]", "3"),
        ("rule-key", log, "sink:", f"{rules}\nsink:"),
        ("no-yaml", "a: [", "", ""),
        ("good", action, "", ""),
    ):
        assert old in text
        (folder / f"{name}.yml").write_text(text.replace(old, new, 1) if old else text)


@dataclass(frozen=True)
class Case:
    what: str
    args: tuple[str, ...]
    sentence: str
    env: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.what


def check(recipe: str) -> tuple[str, ...]:
    return ("check", f"{{here}}/{recipe}.yml")


CASES = [
    # Recipes, before they are deployed.
    Case(
        "action key",
        check("action-key"),
        r"action-key\.yml: action\.config\.workes: .*did you mean workers\?",
    ),
    Case(
        "action type", check("action-type"), r"action\.type: .*did you mean dataspoke-vector-sync\?"
    ),
    Case(
        "source value",
        check("source-value"),
        r"source\.config\.topics\[0\]: .*did you mean MetadataChangeLog_Versioned_v1\?",
    ),
    Case("rule key", check("rule-key"), RULE_KEY),
    Case("no yaml", check("no-yaml"), r"Cannot use the recipe .*no-yaml\.yml: .*Correct it\.$"),
    # DataHub.
    Case(
        "hub away",
        RECONCILE,
        r"Cannot reach DataHub at .*: connection refused\. Start it, or correct DATAHUB_GMS_URL\.$",
        {"DATAHUB_GMS_URL": AWAY},
    ),
    Case(
        "hub's name unknown",
        RECONCILE,
        r"the host name is unknown",
        {"DATAHUB_GMS_URL": "http://no.such.host.invalid"},
    ),
    Case(
        "hub's URL without http",
        RECONCILE,
        r"it is no http\(s\) URL",
        {"DATAHUB_GMS_URL": "localhost:8080"},
    ),
    Case(
        "wrong token",
        RECONCILE,
        r"it wants a valid token .*Correct DATAHUB_GMS_TOKEN\.$",
        {"DATAHUB_GMS_TOKEN": "wr0ng-token"},
    ),
    Case(
        "token of two lines",
        RECONCILE,
        r"Cannot use DATAHUB_GMS_TOKEN: it holds a line break",
        {"DATAHUB_GMS_TOKEN": "wr0ng-token\nname"},
    ),
    Case(
        "token with letters",
        RECONCILE,
        r"Cannot use DATAHUB_GMS_TOKEN",
        {"DATAHUB_GMS_TOKEN": "wr0ng-token€"},
    ),
    # The model.
    Case(
        "model unknown",
        RECONCILE,
        r"Cannot get the model no-such-model",
        {"DATASPOKE_MODEL": "no-such-model"},
    ),
    Case(
        "model folder empty",
        SEARCH,
        r"empty-model as a model: it has none of",
        {"DATASPOKE_MODEL": "{here}/empty-model"},
    ),
    Case(
        "model damaged",
        SEARCH,
        r"Cannot read the weights .*model\.safetensors",
        {"DATASPOKE_MODEL": "{here}/damaged-model"},
    ),
    Case(
        "model not here",
        ("model", "show", "no-such-model"),
        r"Run: dataspoke model fetch no-such-model$",
    ),
    # The index.
    Case(
        "index damaged",
        SEARCH,
        r"Cannot open the index in .*meta\.json.*Move it away",
        {"DATASPOKE_HOME": "{here}/damaged-meta"},
    ),
    Case(
        "index half there",
        RECONCILE,
        r"its folder 'shard' is missing.*Move it away",
        {"DATASPOKE_HOME": "{here}/damaged-shard"},
    ),
    Case(
        "Qdrant away", RECONCILE, r"Cannot reach the Qdrant server", {"DATASPOKE_QDRANT_URL": AWAY}
    ),
    Case(
        "Qdrant's URL",
        RECONCILE,
        r"Cannot use DATASPOKE_QDRANT_URL: 'localhost:6333' is no URL",
        {"DATASPOKE_QDRANT_URL": "localhost:6333"},
    ),
    # The database.
    Case("no database", ("work", "list"), r"noise\.db: the file is no SQLite database", NOISE),
    Case("no database, search", SEARCH, r"the file is no SQLite database", NOISE),
    Case(
        "damaged database",
        RECONCILE,
        r"damaged\.db: the file is damaged",
        {"DATASPOKE_DATABASE_URL": "sqlite:///{here}/damaged.db"},
    ),
    Case(
        "foreign database",
        ("worker",),
        r"it belongs to another program \(it has a table 'invoices'\)",
        {"DATASPOKE_DATABASE_URL": "sqlite:///{here}/foreign.db"},
    ),
    Case(
        "another kind of database",
        ("work", "list"),
        r"'mysql' is not supported",
        {"DATASPOKE_DATABASE_URL": "mysql://u:s3cret-password@h/d"},
    ),
    Case(
        "PostgreSQL down", RECONCILE, r"Cannot reach the database postgresql://u:\*\*\*@", PG_AWAY
    ),
    # Places and ports.
    Case(
        "home is a file",
        ("work", "list"),
        r"file of the database: a file has this name\. Set DATASPOKE_HOME",
        FILE_AS_HOME,
    ),
    Case(
        "home is a file, search",
        SEARCH,
        r"Cannot create the folder .* of the database: .*DATASPOKE_HOME",
        FILE_AS_HOME,
    ),
    Case(
        "hub's home is a file",
        ("hub", "serve", "--port", "0"),
        r"Cannot write the hub's folder",
        FILE_AS_HOME,
    ),
    Case(
        "quickstart's home is a file",
        ("quickstart", "--once"),
        r"Cannot use .*file/quickstart for the quickstart",
        FILE_AS_HOME,
    ),
    Case(
        "search port busy",
        ("search", "serve", "--port", "{busy}"),
        r"another process uses this port",
    ),
    Case("hub port busy", ("hub", "serve", "--port", "{busy}"), r"another process uses this port"),
    Case(
        "health port busy",
        ("worker", "--health-port", "{busy}"),
        r"for health checks: .*Choose another port in --health-port",
    ),
    Case(
        "no time", SEARCH, r"Cannot read DATASPOKE_NOW: 'yesterday'", {"DATASPOKE_NOW": "yesterday"}
    ),
    # Numbers of dead letters.
    Case(
        "no such letter, retry",
        ("work", "retry", "7", "8"),
        r"Cannot retry no\. 7, no\. 8: there is no such dead letter",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_mistake_is_one_sentence_and_exit_code_1(scene: Scene, case: Case) -> None:
    _is_one_sentence(scene.run("dataspoke", *case.args, env=case.env), case.sentence)


def _is_one_sentence(done: subprocess.CompletedProcess[str], sentence: str) -> None:
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert re.fullmatch(r"Error: Cannot [^\n]+\n", done.stderr), said
    assert re.search(sentence, done.stderr.rstrip()), said
    assert not [secret for secret in SECRETS if secret in said]


BARE = [
    Case("search serve", SEARCH, INSTALL.format("search")),
    Case("reconcile", RECONCILE, INSTALL.format("search")),
    Case("model fetch", ("model", "fetch"), INSTALL.format("search")),
    Case("model show", ("model", "show"), INSTALL.format("search")),
    Case("work list", ("work", "list"), INSTALL.format("actions")),
    Case("work retry", ("work", "retry", "1"), INSTALL.format("actions")),
    Case("worker", ("worker",), INSTALL.format("actions")),
    Case("hub serve", ("hub", "serve", "--port", "0"), INSTALL.format("local")),
    Case("quickstart", ("quickstart", "--once"), INSTALL.format("actions,local,search")),
    Case("check", ("check",), INSTALL.format("postgres")),
]


@pytest.mark.parametrize("case", BARE, ids=str)
def test_a_missing_extra_names_its_installation(scene: Scene, case: Case) -> None:
    _is_one_sentence(scene.run("dataspoke", *case.args, env=scene.bare), case.sentence)


@pytest.mark.parametrize(
    ("missing", "env", "extra"),
    [
        ("psycopg", {"DATASPOKE_DATABASE_URL": "postgresql://h/d"}, "postgres"),
        ("qdrant_client", {"DATASPOKE_QDRANT_URL": AWAY}, "qdrant"),
        ("qdrant_edge", {}, "search"),
    ],
)
def test_an_engine_without_its_library_names_the_extra(
    scene: Scene, missing: str, env: dict[str, str], extra: str
) -> None:
    env = env | without(scene.folder / f"without-{missing}", [missing])
    _is_one_sentence(scene.run("dataspoke", *SEARCH, env=env), INSTALL.format(extra))


@pytest.mark.parametrize(
    "command",
    ["", "check", "hub serve", "index reconcile", "model fetch", "quickstart", "search serve",
     "work list", "work retry", "worker"],
)  # fmt: skip
def test_help_needs_the_base_install_alone(scene: Scene, command: str) -> None:
    done = scene.run("dataspoke", *command.split(), "--help", env=scene.bare)
    assert done.returncode == 0, done.stderr
    assert "Usage: dataspoke" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "recipe", "bare", "sentence"),
    [
        (
            "actions",
            "source-key",
            False,
            r"source\.config\.poll_timeout_second: .*config knows topics, .*, database_url\.$",
        ),
        (
            "actions",
            "action-value",
            False,
            r"action\.config\.workers: .*action\.config knows home, .*, lease_seconds\.$",
        ),
        ("actions", "good", True, INSTALL.format("actions")),
        (
            "ingest",
            "log-value",
            False,
            r"source\.config\.ignore_users: .* a valid list\. .*, usage\.$",
        ),
        ("ingest", "rule-key", False, RULE_KEY),
        ("ingest", "log-key", True, INSTALL.format("postgres")),
    ],
)
def test_under_the_stock_command_our_sentence_is_whole_and_said_once(
    scene: Scene, kind: str, recipe: str, bare: bool, sentence: str
) -> None:
    recipe_path = scene.folder / f"{recipe}.yml"
    done = scene.run("datahub", kind, "-c", str(recipe_path), env=scene.bare if bare else {})
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert said.count("Cannot ") == 1, said
    (line,) = (line for line in said.splitlines() if line.startswith("Error: Cannot "))
    assert re.search(sentence, line), said
    assert "Traceback" not in said, said


@pytest.mark.slow
def test_a_refused_token_ends_the_event_source_with_the_whole_sentence_once(scene: Scene) -> None:
    """It is found while the pipeline runs: the framework shows its own stack trace around."""
    text = (scene.folder / "good.yml").read_text()
    action = text[text.index("action:\n") : text.index("options:")]
    recipe = scene.folder / "source-alone.yml"
    recipe.write_text(text.replace(action, "action:\n  type: hello_world\n\n"))
    env = {"DATAHUB_GMS_TOKEN": "wr0ng-token"}
    done = scene.run("datahub", "actions", "-c", str(recipe), env=env)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert said.count("Cannot follow ") == 1, said
    assert re.search(r"Cannot follow .* has the platform privilege '.*'\.$", said, re.MULTILINE)
    assert "wr0ng-token" not in said


@pytest.mark.parametrize("command", [SEARCH, RECONCILE, (*RECONCILE, "--check")], ids=" ".join)
def test_an_index_that_another_process_owns_is_left_alone(
    scene: Scene, tmp_path: Path, command: tuple[str, ...]
) -> None:
    settings = Settings.from_env({"DATASPOKE_HOME": str(tmp_path)})
    owner = open_owner(settings, spec_for(load_embedder("hash")))
    try:
        done = scene.run("dataspoke", *command, env={"DATASPOKE_HOME": str(tmp_path)})
    finally:
        owner.close()  # type: ignore[attr-defined]
    if command == SEARCH:
        _is_one_sentence(done, r"Cannot open the index in .* the process with pid \d+ uses it")
    else:
        assert done.returncode == 0, done.stderr


def test_unreadable_events_are_listed_and_not_retried(scene: Scene, tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'dataspoke.db'}")
    reason = "Cannot read an event of PlatformEvent_v1: \x1b[31mno JSON.\nSee why."
    SqlWorkTable(database).bury_event(
        UNREADABLE_EVENT, "p:PlatformEvent_v1:9:0", payload={}, reason=reason, error_type="E", now=1
    )
    database.close()
    env = {"DATASPOKE_HOME": str(tmp_path)}
    listed = scene.run("dataspoke", "work", "list", env=env).stdout
    assert "no. 1: event p:PlatformEvent_v1:9:0\n" in listed
    assert "\n  Cannot read an event of PlatformEvent_v1: �[31mno JSON. See why.\n" in listed
    refused = scene.run("dataspoke", "work", "retry", "1", env=env)
    _is_one_sentence(refused, r"Cannot retry no\. 1: it is an event .*`dataspoke work drop`\.$")
    every = scene.run("dataspoke", "work", "retry", "--all", env=env)
    assert every.returncode == 0
    assert "1 stay: events that could not be read." in every.stdout
    assert (
        scene.run("dataspoke", "work", "drop", "1", env=env).stdout == "1 dead letters are gone.\n"
    )


@pytest.mark.slow
def test_what_cannot_be_read_or_rendered_is_a_dead_letter_and_the_rest_goes_on(
    scene: Scene, tmp_path: Path
) -> None:
    stage = Stage(scene.hub, tmp_path / "spoke")
    stage.home.mkdir()
    for name in ("good", "bad"):
        stage.table(name)
    with stage.action() as action:
        action.wait_for_log("follows MetadataChangeLog_Versioned_v1")
        _damage_in_hub(scene.hub, dataset("bad"))
        stage.table("later")
        wait_until(
            lambda: {dataset("good"), dataset("later")} <= stage.indexed(), what="the good ones"
        )
        wait_until(lambda: len(_letters(stage)) == 2, what="two dead letters", timeout=60)
        assert action.alive
    done = scene.run("dataspoke", "work", "list", env=stage.env)
    assert f"sync {dataset('bad')}" in done.stdout
    assert "event vector_sync:MetadataChangeLog_Versioned_v1:" in done.stdout
    assert done.stdout.count("\n  Cannot ") == 2, done.stdout


def _damage_in_hub(hub: HubProcess, urn: str) -> None:
    """A value of a wrong shape in one entity, and events that say nothing one can read."""
    path = hub.home / "hub" / "hub.db"
    with closing(sqlite3.connect(path, timeout=30)) as db, db:
        (entity,) = db.execute("SELECT id FROM entity WHERE urn = ?", (urn,)).fetchone()
        db.execute(
            "UPDATE aspect SET value = ? WHERE id / 4096 = ? AND value LIKE '%description%'",
            ('{"name": "bad", "description": {"not": "a text"}}', entity),
        )
        changed = "replace(body, '\"UPSERT\"', ?)"
        last = f"SELECT topic, key, created_at, {changed} FROM events WHERE key = ?"
        for change in ('"NONSENSE"', '"UPSERT"'):
            db.execute(
                f"INSERT INTO events (topic, key, created_at, body) {last} LIMIT 1", (change, urn)
            )


def _letters(stage: Stage) -> list[str]:
    database = Database.open(stage.settings.database_url)
    try:
        return [letter.key for letter in SqlWorkTable(database).dead_letters(limit=10)]
    finally:
        database.close()
