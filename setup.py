"""Map the folders at the root onto one import package, `dataspoke`.

Everything static lives in pyproject.toml. `dataspoke` itself is a PEP 420 namespace: it has
no `__init__.py`, so each folder is installed as `dataspoke.<folder>`.
"""

from setuptools import find_packages, setup

FOLDERS = (
    "actions",
    "cli",
    "core",
    "ingestion_sources",
    "local_hub",
    "recipes",
    "search_service",
)

# Folders of data files: packages too, in the eyes of setuptools.
DATA = ("local_hub.graphql.schema", "recipes.actions", "recipes.ingest", "search_service.web")

packages = [*find_packages(include=[*FOLDERS, *(f"{folder}.*" for folder in FOLDERS)]), *DATA]

setup(
    package_dir={"dataspoke": "."},
    packages=[f"dataspoke.{package}" for package in packages],
)
