"""What is installed is what the tree holds, and everything that we name can be loaded."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from dataspoke.cli.check import check_recipe, load_plugin, plugin_entry_points
from dataspoke.recipes import recipe_files

ROOT = Path(__file__).parent.parent
FOLDERS = (
    "actions",
    "cli",
    "core",
    "ingestion_sources",
    "local_hub",
    "recipes",
    "search_service",
)


@pytest.mark.parametrize("point", plugin_entry_points(), ids=lambda point: point.name)
def test_every_entry_point_loads(point: EntryPoint) -> None:
    load_plugin(point)


def test_our_plugin_names_begin_with_our_prefix() -> None:
    assert plugin_entry_points()
    assert all(point.name.startswith("dataspoke-") for point in plugin_entry_points())


@pytest.mark.parametrize("path", recipe_files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_recipe_parses_against_its_config_classes(path: Path) -> None:
    assert check_recipe(path) == {"actions": "action", "ingest": "ingest"}[path.parent.name]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    for name in files:
        if not (ROOT / name).is_file():
            continue
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder / "dist"), str(source)],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = (folder / "dist").glob("*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_holds_exactly_the_files_of_the_tree(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        f"dataspoke/{path.relative_to(ROOT)}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == expected


def test_every_folder_with_code_is_a_package() -> None:
    without_init = {
        str(path.parent.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if not (path.parent / "__init__.py").is_file()
    }
    assert without_init == set()


def named_paths(text: str) -> list[str]:
    """Paths that a page names: link targets and code that looks like a path of the tree."""
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)[^)]*\)", text)
    here = {path.name for path in ROOT.iterdir()}
    code = [
        name
        for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)+/?)`", text)
        if name.split("/")[0] in here
    ]
    recipes = re.findall(r"(recipes/[\w./-]+\.yml)", text)
    return sorted({*links, *code, *recipes})


PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    missing = [
        name
        for name in named_paths(page.read_text())
        if not (page.parent / name).exists() and not (ROOT / name).exists()
    ]
    assert missing == []


def named_commands(text: str) -> list[str]:
    """`dataspoke …` and `make …` lines of the code blocks of a page."""
    blocks = re.findall(r"```(?:bash|console|shell)\n(.*?)```", text, flags=re.DOTALL)
    lines = [line.removeprefix("$ ").strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.match(r"(dataspoke|make) ", line)]


def all_named_commands() -> list[str]:
    return sorted({line for page in PAGES for line in named_commands(page.read_text())})


@pytest.mark.parametrize("line", [c for c in all_named_commands() if c.startswith("dataspoke ")])
def test_every_dataspoke_command_that_a_page_names_exists(line: str) -> None:
    words = []
    for word in line.split("#")[0].split()[1:]:
        if not re.fullmatch(r"[a-z][a-z-]*", word) or len(words) == 2:
            break
        words.append(word)
    options = re.findall(r"(?<=\s)(--[a-z-]+)", line.split("#")[0])
    shown = None
    while shown is None:
        result = subprocess.run(
            [sys.executable, "-m", "dataspoke.cli.main", *words, "--help"],
            capture_output=True,
            text=True,
            env={"COLUMNS": "200", "PATH": "", "TERM": "dumb"},
        )
        if result.returncode == 0:
            shown = result.stdout
        elif len(words) > 1:
            words.pop()
        else:
            pytest.fail(f"{line}: {result.stderr}")
    assert [option for option in options if option not in shown] == []


@pytest.mark.parametrize("line", [c for c in all_named_commands() if c.startswith("make ")])
def test_every_make_target_that_a_page_names_exists(line: str) -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    named = [w for w in line.split("#")[0].split()[1:] if re.fullmatch(r"[a-z-]+", w)]
    assert named
    assert [target for target in named if target not in targets] == []
