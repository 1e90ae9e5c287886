"""Analysis files: Python files that define an ``analysis``, and ``models`` to fit."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from flavorframe.errors import AnalysisError, FlavorframeError, did_you_mean

if TYPE_CHECKING:
    from flavorframe.analysis import Analysis
    from flavorframe.fit import MassModel


@dataclass(frozen=True)
class Script:
    """The contents of an analysis file: the analysis, mass models by histogram, and its text."""

    analysis: Analysis
    models: Mapping[str, MassModel]
    text: str


def load_script(path: Path) -> Script:
    """Return what an analysis file defines; raises AnalysisError where it cannot be used."""
    from flavorframe.analysis import Analysis

    if not path.is_file():
        raise AnalysisError(f"there is no analysis file {path}.")
    module = _import(path)
    analysis = getattr(module, "analysis", None)
    if not isinstance(analysis, Analysis):
        raise AnalysisError(f"{path} defines no `analysis = ff.Analysis(...)`.")
    return Script(analysis, getattr(module, "models", {}), module.__doc__ or "")


def require_models(script: Script, path: Path | None) -> None:
    """Raise AnalysisError if one of the models could not be fitted, before anything is read."""
    where, models = f"{path}: models", script.models
    if not isinstance(models, Mapping):
        raise AnalysisError(f"{where} should be {{'mass': ff.fit.dsphi()}}, not {models!r}.")
    known = _histograms(script.analysis)
    seen: dict[str, str] = {}
    for name in models:
        if name not in known:
            raise AnalysisError(
                f"{where} names {name!r}, which is no histogram of the analysis."
                f"{did_you_mean(str(name), known)} There are {', '.join(known) or 'none'}."
            )
        region = known[name]
        if region in seen:
            raise AnalysisError(
                f"{where} has {seen[region]!r}, {name!r}, and the report shows one fit of each era"
                f"{f' of region {region}' if region else ''}: leave one of them, and fit the "
                "others in Python."
            )
        seen[region] = name


def with_variations(script: Script, names: Sequence[str]) -> Script:
    """Return the analysis file with only some variations: of these names, 'all' or 'none'."""
    if list(names) == ["all"]:
        return script
    chosen = [] if list(names) == ["none"] else names
    return replace(script, analysis=script.analysis.with_variations(*chosen))


def _histograms(analysis: Analysis) -> dict[str, str]:
    """Return the region of each histogram that can be fitted, by what it is called."""
    from flavorframe._planning.plan import in_region
    from flavorframe.outputs import Histogram

    return {
        ".".join(filter(None, (in_region(region, name), category))): region
        for region, declared in analysis.regions
        for name, output in declared.outputs
        if isinstance(output, Histogram)
        for category in ([""] if declared.by is None else declared.by.names)
    }


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise AnalysisError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))  # as `python analysis.py` would find its neighbours
    try:
        spec.loader.exec_module(module)
    except FlavorframeError:
        raise
    except Exception as error:  # whatever the user's own code raises: say where
        raise AnalysisError(
            f"{path}{_line(error, path)}: {type(error).__name__}: {error}"
        ) from error
    return module


def _line(error: BaseException, path: Path) -> str:
    """Return the last line of the file that the error passed through."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    lines, trace = [], error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f", line {lines[-1]}" if lines else ""
