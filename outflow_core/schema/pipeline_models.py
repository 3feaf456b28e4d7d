"""The tables that a pipeline's own models stand for; the modules are named by the configuration's key `models`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from sqlalchemy import Table

from outflow_core.binds import Model, bind_key_of
from outflow_core.errors import BindError, ConfigError, OutflowError
from outflow_core.settings import Settings

_OURS: Final = ("outflow_", "alembic_version")


def model_modules(settings: Settings, named: Sequence[str] = ()) -> tuple[str, ...]:
    """The modules that hold the pipeline's models: those named, else those that the configuration names."""
    if named:
        return tuple(named)
    listed = settings.content.get("models")
    if listed is None:
        return ()
    modules = [listed] if isinstance(listed, str) else listed
    if not isinstance(modules, list) or not all(isinstance(module, str) and module for module in modules):
        raise ConfigError(f"{settings.path}: 'models' must be a list of modules, such as [survey.models].")
    return tuple(modules)


def pipeline_tables(settings: Settings, modules: Sequence[str]) -> tuple[Table, ...]:
    """The tables of the models in the modules, and in what they load of the same packages.

    ConfigError when a module cannot be loaded or holds none, or when a model's bind is not configured.
    """
    with _importable_from(settings.root):
        for module in modules:
            _load(settings, module)
    tables = {table.name: table for table in _tables_in(modules)}
    if not tables:
        raise ConfigError(f"{settings.path}: 'models': there is no Model in {', '.join(modules)}.")
    for name, table in tables.items():
        settings.database(bind_key_of(table))
        if name.startswith(_OURS):
            raise BindError(f"The table name {name!r} is one that the books may need; call the pipeline's otherwise.")
    return tuple(tables.values())


@contextmanager
def _importable_from(folder: Path) -> Iterator[None]:
    """Let modules in the pipeline's directory be found, as they are when the pipeline runs there."""
    place = str(folder)
    sys.path.insert(0, place)
    try:
        yield
    finally:
        sys.path.remove(place)


def _load(settings: Settings, module: str) -> None:
    try:
        import_module(module)
    except OutflowError as error:
        raise ConfigError(f"{settings.path}: 'models': {module}: {error}") from error
    except Exception as error:  # a pipeline's module may raise anything
        words = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ConfigError(f"{settings.path}: 'models': cannot load {module}: {words}") from error


def _tables_in(modules: Sequence[str]) -> Iterator[Table]:
    """Tables of mapped classes, and tables without a class that stand in a module by a name."""
    classes = [mapper.class_ for mapper in Model.registry.mappers]
    mapped = {table for cls in classes if isinstance(table := getattr(cls, "__table__", None), Table)}
    for cls in classes:
        table = cls.__dict__.get("__table__")
        if isinstance(table, Table) and _is_within(cls.__module__, modules):
            yield table
    for module in _loaded(modules):
        for value in vars(module).values():
            if isinstance(value, Table) and value.metadata is Model.metadata and value not in mapped:
                yield value


def _loaded(modules: Sequence[str]) -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if _is_within(name, modules)]


def _is_within(name: str, modules: Sequence[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)
