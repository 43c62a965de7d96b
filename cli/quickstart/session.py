"""One run of the quickstart: its programs, and the steps from an empty folder to answers."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests
import yaml

from dataspoke.cli.quickstart.children import Child, Children, Program, wait_for_leftovers
from dataspoke.cli.quickstart.flow import Flow, FlowMeter, aspects_written, published
from dataspoke.cli.quickstart.home import Home, fingerprint, write_json, write_private
from dataspoke.cli.quickstart.ports import LOOPBACK, choose_port
from dataspoke.cli.quickstart.postgres import DATABASE, Warehouse, find_installation
from dataspoke.cli.quickstart.progress import Progress, Step
from dataspoke.cli.quickstart.questions import ANSWERS_SHOWN, QUESTIONS, Answered, answered
from dataspoke.cli.quickstart.services import LocalService, entity_counts
from dataspoke.cli.quickstart.tools import base_environment, recipe_environment, tool
from dataspoke.cli.quickstart.warehouse.governance import proposals
from dataspoke.cli.quickstart.warehouse.load import create_database, load
from dataspoke.cli.quickstart.warehouse.rows import generate
from dataspoke.cli.quickstart.warehouse.schemas import SCHEMAS
from dataspoke.core.errors import ConfigError, FatalError
from dataspoke.core.index.embedder import describe_model
from dataspoke.core.settings import Settings
from dataspoke.core.store.database import Database
from dataspoke.recipes import recipe_path

ACTION_RECIPE = "actions/vector_sync.yml"
INGEST_RECIPES = ("ingest/postgres.yml", "ingest/governance.yml")
_INGESTED_TYPES = (
    "dataset",
    "container",
    "query",
    "domain",
    "glossaryNode",
    "glossaryTerm",
    "tag",
    "corpGroup",
    "corpuser",
)
_PAUSE_SECONDS = 0.2
_LEFTOVERS_SECONDS = 30.0
_START_SECONDS = 120.0
_INGEST_SECONDS = 300.0
_MODEL_SECONDS = 1800.0
_STANDSTILL_SECONDS = 120.0
_QUIET_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Options:
    """Ports are wishes: a busy one is replaced, 0 asks for any."""

    once: bool
    hub_port: int
    search_port: int
    warehouse_port: int


class Session:
    """Starts everything in `home`, which is ours alone. Call `close` whatever happens."""

    def __init__(self, home: Home, options: Options, progress: Progress) -> None:
        self._home = home
        self._options = options
        self._progress = progress
        self._started_at = datetime.now(UTC)
        self._children = Children(home.logs, home.children_lock)
        self._base = base_environment(os.environ)
        self._settings = Settings.from_env(self._base, home=home.data)
        self._fingerprint = fingerprint(
            SCHEMAS, list(proposals(DATABASE, SCHEMAS)), self._settings.model
        )
        self._database: Database | None = None
        self._pids: dict[str, int] = {"quickstart": os.getpid()}

    def run(self) -> dict[str, Any]:
        """Everything, up to the answers; returns what `quickstart.json` holds by then.

        Raises DataSpokeError with a sentence for people when a step fails.
        """
        wait_for_leftovers(self._home.children_lock, timeout=_LEFTOVERS_SECONDS)
        is_new = not self._home.is_complete(self._fingerprint)
        if is_new:
            self._home.clear()
        else:
            self._progress.say("Using the data of the last run; --reset starts anew.")
        self._home.result.unlink(missing_ok=True)
        self._home.start_logs()
        self._choose_ports()
        self._provide_model()
        self._start_servers(is_new=is_new)
        self._start_action(is_new=is_new)
        if is_new:
            self._ingest()
        flow = self._wait_until_indexed()
        if is_new:
            write_json(self._home.complete, {"fingerprint": self._fingerprint})
        answers = self._ask()
        return self._write_result(flow, answers)

    def watch(self) -> None:
        """Stay until a program ends, which is an error."""
        while True:
            self._children.check()
            time.sleep(1)

    def close(self) -> None:
        """Stop every program and take their pids out of `quickstart.json`. Idempotent."""
        self._children.stop()
        if self._database is not None:
            self._database.close()
            self._database = None
        if self._home.result.exists():
            stored = json.loads(self._home.result.read_text())
            write_json(self._home.result, {**stored, "state": "stopped", "pids": {}})

    def _choose_ports(self) -> None:
        options = self._options
        hub = self._port("hub", options.hub_port)
        search = self._port("search page", options.search_port)
        warehouse = self._port("warehouse", options.warehouse_port)
        self._hub = LocalService(f"http://{LOOPBACK}:{hub}")
        self._search = LocalService(f"http://{LOOPBACK}:{search}")
        self._warehouse = Warehouse(find_installation(), self._home.warehouse, warehouse)

    def _port(self, what: str, wanted: int) -> int:
        port = choose_port(wanted)
        if wanted and port != wanted:
            self._progress.say(f"Port {wanted} is in use: the {what} takes {port}.")
        return port

    def _provide_model(self) -> None:
        """Download and prepare the model unless it is there; everything else needs it."""
        if self._model_is_ready():
            return
        with self._progress.step(f"Fetch the model {self._settings.model}") as step:
            child = self._children.begin(
                Program("model fetch", [tool("dataspoke"), "model", "fetch"], self._base)
            )
            try:
                self._wait_for_jobs([child], step, child.last_line, seconds=_MODEL_SECONDS)
            except FatalError:
                own, found, sentence = child.last_line().partition("Error: ")
                if found and not own:
                    raise ConfigError(sentence) from None
                raise
            step.result = child.last_line()

    def _model_is_ready(self) -> bool:
        try:
            graph = describe_model(self._settings.model).get("graph")
        except ConfigError:
            return False
        return graph is None or Path(graph).is_file()

    def _start_servers(self, *, is_new: bool) -> None:
        with self._progress.step("Start the hub, the search service and PostgreSQL") as step:
            hub_port = self._hub.url.rpartition(":")[2]
            hub = ["hub", "serve", "--port", hub_port, "--home", str(self._home.hub)]
            self._service("hub", [tool("dataspoke"), *hub], self._service_environment())
            search = ["search", "serve", "--port", self._search.url.rpartition(":")[2]]
            environment = self._service_environment()
            self._service("search service", [tool("dataspoke"), *search], environment)
            for folder in self._warehouse.open_for_server_user():
                self._progress.say(f"Opened {folder} (o+x) to the user that runs PostgreSQL.")
            if is_new:
                self._warehouse.create(self._children, self._base)
            server = self._warehouse.start(self._children, self._base)
            self._pids["warehouse"] = server.pid
            self._warehouse.wait_ready(self._children.check)
            self._wait(lambda: self._hub.answers("/health"), "the hub is ready", step)

    def _start_action(self, *, is_new: bool) -> None:
        """Load the warehouse while the action starts; then wait until it has joined the stream."""
        recipe = recipe_path(ACTION_RECIPE)
        command = [tool("datahub"), "actions", "-c", str(recipe)]
        self._service("action", command, self._service_environment())
        if is_new:
            self._load_warehouse()
        self._database = Database.open(self._settings.database_url)
        self._meter = FlowMeter(self._home.hub, self._database, self._readiness, _now_ms)
        with self._progress.step("Join the stream of changes") as step:
            followed = yaml.safe_load(recipe.read_text())["source"]["config"].get("topics", [""])
            topics = 1 if isinstance(followed, str) else len(followed)
            self._wait(lambda: len(self._meter.topics()) >= topics, "the action joined", step)
            # The position may be that of the last run: see that the action is there.
            self._wait(self._action_talks_to_hub, "the action follows the stream", step)
            self._wait(lambda: bool(self._readiness()), "the search service is ready", step)

    def _action_talks_to_hub(self) -> bool:
        port = int(self._hub.url.rpartition(":")[2])
        try:
            connections = psutil.Process(self._pids["action"]).net_connections(kind="tcp")
        except psutil.Error:
            return False
        return any(each.raddr and each.raddr.port == port for each in connections)

    def _load_warehouse(self) -> None:
        with self._progress.step("Fill the book shop's warehouse") as step:
            rows = generate()
            with psycopg.connect(self._warehouse.conninfo("postgres"), autocommit=True) as server:
                create_database(server, DATABASE)
            with psycopg.connect(self._warehouse.conninfo(), autocommit=True) as database:
                total = load(database, SCHEMAS, rows)
            views = sum(len(schema.views) for schema in SCHEMAS)
            step.result = (
                f"{total:,} rows in {len(rows)} tables, {views} views, {len(SCHEMAS)} schemas"
            )

    def _ingest(self) -> None:
        with self._progress.step("Ingest with the stock `datahub ingest`") as step:
            definitions = json.dumps(list(proposals(DATABASE, SCHEMAS)), indent=1)
            self._home.governance_file.write_text(definitions)
            self._home.user.mkdir(exist_ok=True)
            env = self._recipe_environment() | {"HOME": str(self._home.user)}
            jobs = [
                self._children.begin(
                    Program(
                        f"ingest {Path(recipe).stem}",
                        [tool("datahub"), "ingest", "-c", str(recipe_path(recipe))],
                        env,
                    )
                )
                for recipe in INGEST_RECIPES
            ]
            self._wait_for_jobs(jobs, step, self._events_so_far, seconds=_INGEST_SECONDS)
            step.result = self._events_so_far()

    def _wait_until_indexed(self) -> Flow:
        """Until nothing is on its way for a second; FatalError after two minutes of standstill."""
        with self._progress.step("Consume and index") as step:
            flow, quiet, moved_at = self._meter.look(), 0, time.monotonic()
            while quiet < _QUIET_LOOKS:
                self._children.check()
                time.sleep(_PAUSE_SECONDS)
                latest = self._meter.look()
                if latest != flow:
                    moved_at = time.monotonic()
                quiet = quiet + 1 if latest.is_quiet and latest == flow else 0
                flow = latest
                step.detail(str(flow))
                if time.monotonic() - moved_at > _STANDSTILL_SECONDS:
                    raise FatalError(
                        f"Cannot index: nothing has moved for {_STANDSTILL_SECONDS:.0f} s "
                        f"({flow}). Read the logs in {self._home.logs}."
                    )
            step.result = f"{flow.points:,} entities indexed"
            if flow.dead:
                step.result += f", {flow.dead:,} dead letters (`dataspoke work list`)"
            return flow

    def _ask(self) -> list[Answered]:
        found = []
        for question in QUESTIONS:
            answer = self._search.get("/search/semantic", q=question, limit=ANSWERS_SHOWN)
            found.append(answered(question, answer["results"]))
        return found

    def _write_result(self, flow: Flow, answers: list[Answered]) -> dict[str, Any]:
        result = {
            "state": "ready",
            "started_at": self._started_at.isoformat(timespec="seconds"),
            "home": str(self._home.root),
            "logs": str(self._home.logs),
            "urls": {
                "search": f"{self._search.url}/",
                "hub": self._hub.url,
                "warehouse": f"postgresql://{self._warehouse.host_port}/{DATABASE}",
            },
            "pids": self._pids,
            "counts": {
                "entities": entity_counts(self._hub, _INGESTED_TYPES),
                "aspects": aspects_written(self._home.hub),
                "events": flow.events,
                "consumed": flow.events - flow.behind,
                "indexed": flow.points,
                "dead_letters": flow.dead,
            },
            "questions": [answer.as_json() for answer in answers],
            "ready_after_seconds": round((datetime.now(UTC) - self._started_at).total_seconds(), 1),
            "seconds": self._progress.seconds,
        }
        self._write_env_file()
        write_json(self._home.result, result)
        return result

    def _write_env_file(self) -> None:
        """For a shell in which recipes and commands are to work on this quickstart."""
        values = self._recipe_variables()
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
        write_private(self._home.env_file, "".join(lines))

    def _service(self, name: str, command: list[str], env: dict[str, str]) -> None:
        child = self._children.start(Program(name, command, env))
        self._pids[name.replace(" ", "_")] = child.pid

    def _service_environment(self) -> dict[str, str]:
        return self._base | {
            "DATAHUB_GMS_URL": self._hub.url,
            "DATASPOKE_HOME": str(self._home.data),
        }

    def _recipe_environment(self) -> dict[str, str]:
        return self._base | self._recipe_variables()

    def _recipe_variables(self) -> dict[str, str]:
        model = self._settings.model
        return recipe_environment(self._home, self._hub.url, self._warehouse, model=model)

    def _readiness(self) -> dict[str, Any]:
        """The details of /readyz, empty while the search service is not ready."""
        try:
            details: dict[str, Any] = self._search.get("/readyz")["details"]
        except requests.RequestException:
            return {}
        return details

    def _events_so_far(self) -> str:
        topics = published(self._home.hub)
        return f"{sum(topic.count for topic in topics.values()):,} change events"

    def _wait(self, condition: Callable[[], bool], what: str, step: Step) -> None:
        """Wait until the condition holds; FatalError if a service ends or time is up."""
        deadline = time.monotonic() + _START_SECONDS
        while not condition():
            self._children.check()
            step.detail(f"waiting until {what}")
            if time.monotonic() > deadline:
                raise FatalError(
                    f"Cannot go on: waited {_START_SECONDS:.0f} s in vain until {what}. "
                    f"Read the logs in {self._home.logs}."
                )
            time.sleep(_PAUSE_SECONDS)

    def _wait_for_jobs(
        self, jobs: list[Child], step: Step, detail: Callable[[], str], *, seconds: float
    ) -> None:
        """Wait for the success of all jobs; FatalError for the first one that fails."""
        deadline = time.monotonic() + seconds
        while any(job.returncode is None for job in jobs) and time.monotonic() < deadline:
            self._children.check()
            for job in jobs:
                if job.returncode is not None:
                    job.wait(timeout=0)
            step.detail(detail())
            time.sleep(_PAUSE_SECONDS)
        for job in jobs:
            job.wait(timeout=0)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
