"""Finding cwsync.yaml, reading it, and choosing an environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from cwsync.checked import Codes, problems_from
from cwsync.errors import CwsyncError, Place, Problem, fail, suggest
from cwsync.located import Document, Map, Seq, at, clone, overlay, problem, read
from cwsync.located import Path as ValuePath
from cwsync.project.files import pattern_problems
from cwsync.project.models import EnvironmentFile, ProjectFile
from cwsync.project.policy_rules import policy_problems
from cwsync.project.rules import environment_problems
from cwsync.project.values import Environment, Project, shown
from cwsync.variables import Variables

FILE = "cwsync.yaml"
_CODES = Codes("CW111", "CW111", "CW111")


def find_project(start: Path) -> Path:
    """cwsync.yaml in the folder `start` or one above; `start` may also be the file itself.

    Raises CW110 where there is none.
    """
    if start.is_file():
        return start.parent.resolve() / start.name
    start = start.resolve()
    if not start.is_dir():
        raise fail("CW110", f"there is no folder {shown(start)}")
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    hint = "go to the project's folder, name it with -C DIR, or make one with 'cwsync init'"
    raise fail("CW110", f"no {FILE} in {shown(start)} or in a folder above", hint=hint)


def load_project(
    start: Path,
    environment: str | None = None,
    overrides: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Project:
    """The project at or above `start`, for one environment.

    `environment` is that of -e; without it CWSYNC_ENV, then `environment:` of the file, then the only
    environment there is. `overrides` are those of --var; `environ` holds CWSYNC_ENV and CWSYNC_VAR_name.
    Raises CwsyncError with all that is wrong: CW110 (no project), CW101 to CW105 (the YAML), CW111,
    CW112 (no such environment), CW113 (an unknown variable), CW121 (a secret written out).
    """
    path = find_project(start)
    environ = environ or {}
    wanted = environment or environ.get("CWSYNC_ENV")
    return _Loading(_document(path), wanted, overrides or {}, environ).project(path)


def _document(path: Path) -> Document:
    file = shown(path)
    documents = read(path, file)
    if not documents:
        raise fail("CW111", "the file is empty", place=Place(file), hint="'cwsync init' makes a first one")
    if len(documents) > 1:
        raise CwsyncError(problem("CW111", "cwsync.yaml is one document; a second starts here", documents[1]))
    if not isinstance(documents[0].value, Map):
        raise CwsyncError(problem("CW111", "cwsync.yaml must be a mapping, 'key: value'", documents[0]))
    return documents[0]


class _Loading:
    """Reads one project, collecting what is wrong with it."""

    def __init__(
        self,
        document: Document,
        wanted: str | None,
        overrides: Mapping[str, str],
        environ: Mapping[str, str],
    ) -> None:
        self._document = document
        self._root = _map_at(document, ())
        self._environments = _map_at(document, ("environments",))
        self._wanted = wanted
        self._declared = set(_map_at(document, ("variables",)))
        for name in self._environments:
            self._declared.update(_map_at(self._environments, (name, "variables")))
        from_environ = {name: environ.get(f"CWSYNC_VAR_{name}") for name in self._declared}
        self._given = {k: v for k, v in from_environ.items() if v is not None} | dict(overrides)
        self._problems = list(self._unknown_overrides(overrides))

    def project(self, path: Path) -> Project:
        name = self._chosen()
        variables = self._variables(name)
        filled = self._filled(name, variables)
        self._problems.extend(_rules(filled))
        try:
            checked = ProjectFile.model_validate(filled)
        except ValidationError as error:
            self._problems.extend(problems_from(error, filled, ProjectFile, codes=_CODES))
        if self._problems:
            raise CwsyncError(*sorted(self._problems, key=lambda p: p.place or Place("")))
        return Project(
            root=path.parent,
            path=path,
            document=self._document,
            manifests=tuple(checked.manifests),
            environment=_environment(name, checked.environments[name], variables),
            environments=tuple(checked.environments),
            users=checked.users,
            defaults={section: one for section, one in checked.defaults if one is not None},
            policies=tuple(
                one for one in checked.policies if one.environments is None or name in one.environments
            ),
        )

    def _unknown_overrides(self, overrides: Mapping[str, str]) -> Iterator[Problem]:
        for name in overrides:
            if name not in self._declared:
                near = suggest(name, self._declared)
                hint = f"did you mean '{near}'?" if near else "declare it below 'variables:' first"
                yield Problem("CW113", f"--var {name}: cwsync.yaml has no such variable", hint=hint)

    def _chosen(self) -> str:
        """The environment's name; where there is no such environment, a problem and no name."""
        in_file = at(self._document, ("environment",))
        known = list(self._environments)
        name = self._wanted or (in_file if isinstance(in_file, str) else None)
        if name is None and len(known) == 1:
            name = known[0]
        if name is not None and name in known:
            return name
        if known:  # otherwise the models say that there is none
            self._problems.append(self._no_environment(name, known, named_in_file=not self._wanted))
        return ""

    def _no_environment(self, name: str | None, known: list[str], *, named_in_file: bool) -> Problem:
        listed = f"environments here: {', '.join(known)}"
        if name is None:
            hint = f"name one with -e, or write 'environment:' into cwsync.yaml; {listed}"
            return problem(
                "CW112", "no environment is chosen", self._document, ("environments",), key=True, hint=hint
            )
        near = suggest(name, known)
        hint = f"did you mean '{near}'? {listed}" if near else listed
        message = f"there is no environment '{name}'"
        if named_in_file:
            return problem("CW112", message, self._document, ("environment",), hint=hint)
        return problem("CW112", message, self._document, ("environments",), key=True, hint=hint)

    def _variables(self, environment: str) -> Variables:
        """The variables of an environment; values of a wrong form are left to the models."""
        own = _map_at(self._environments, (environment, "variables"))
        declared = overlay(_map_at(self._document, ("variables",)), own)
        values = {name: value for name, value in declared.items() if isinstance(value, str)}
        return Variables(
            values | {name: value for name, value in self._given.items() if name in self._declared},
            {name: _unused(declared, name) for name in declared},
        )

    def _filled(self, name: str, variables: Variables) -> Map:
        """The file with all variables filled in, each environment with its own."""
        result = clone(self._root)
        environments = clone(self._environments)
        for other, value in self._environments.items():
            if isinstance(value, Map):
                its = variables if other == name else self._variables(other)
                environments[other] = self._filled_but(value, its, "variables")
        if name:
            result = self._filled_but(result, variables, "variables", "environments")
        if self._environments:
            result["environments"] = environments
        return result

    def _filled_but(self, original: Map, variables: Variables, *left_alone: str) -> Map:
        part = clone(original)
        kept = {key: part.pop(key) for key in left_alone if key in part}
        result = clone(variables.fill(part, self._problems))
        result.update(kept)
        return result


def _rules(filled: Map) -> Iterator[Problem]:
    for name, environment in _map_at(filled, ("environments",)).items():
        if isinstance(environment, Map):
            yield from environment_problems(filled, ("environments", name), environment)
    patterns = at(filled, ("manifests",))
    if isinstance(patterns, Seq):
        yield from pattern_problems(filled, patterns)
    yield from policy_problems(filled)


def _unused(declared: Map, name: str) -> Problem:
    made = problem("CW114", f"the variable '{name}' is not used", declared, (name,), key=True)
    return replace(made, severity="warning", hint="remove it, if nothing is going to use it")


def _environment(name: str, written: EnvironmentFile, variables: Variables) -> Environment:
    return Environment(
        name=name,
        state=written.state or f".cwsync/{name}.state.json",
        api=written.api,
        region=written.region,
        auth=written.auth,
        authenticate=written.authenticate,
        encryption=written.encryption,
        guards=written.guards,
        requests=written.requests,
        audit=written.audit,
        variables=variables,
    )


def _map_at(root: Document | Map, path: ValuePath) -> Map:
    """The mapping at `path`, or an empty one where there is something else: the models say so."""
    value = at(root, path)
    return value if isinstance(value, Map) else Map(root.source, root.start)
