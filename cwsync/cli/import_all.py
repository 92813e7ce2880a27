"""import --all: manifests for everything that is unmanaged, bound in the state, without a call that writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cwsync.cli.asking import Asked
from cwsync.cli.locking import locked
from cwsync.cli.settings import Settings
from cwsync.errors import CwsyncError, Problem, exit_status, fail

if TYPE_CHECKING:
    from cwsync.cli.taking import Taken
    from cwsync.cli.workspace import Workspace
    from cwsync.kinds import Observed, Snapshot
    from cwsync.live import Everything, Filters
    from cwsync.manifest import Manifest
    from cwsync.project import Project
    from cwsync.report.import_all import ImportResult, LeftOut
    from cwsync.state import Held


def import_all(settings: Settings, wish: Asked, lock_timeout: float) -> int:
    """Write down and bind what is unmanaged. Raises CW901 where the folder is none of the project's."""
    from cwsync.apply import recover
    from cwsync.cli.taking import Taking
    from cwsync.cli.workspace import Workspace, open_project
    from cwsync.live import read_everything

    filters = wish.filters()
    project = open_project(settings)
    out = _covered(project, wish.out)
    files, declared = _declared(project)
    workspace = Workspace(
        project, declared.resources, declared.lists, outside=settings.outside, say=settings.say
    )
    try:
        tenant = workspace.tenant(workspace.store.read())
        with locked(settings, workspace, lock_timeout, tenant) as held:
            recovered = recover(workspace.client, held, workspace.outside.sleep)
            managed = {(one.kind, _plain(one.id)) for one in held.state.resources.values()}
            managed |= {(one.kind, _plain(one.id)) for one in held.state.deposed}
            with workspace.outside.spans.span("read"):
                seen = read_everything(workspace.client, managed, filters)
            taking = Taking(settings, project, declared, files, held.state, tenant, out, wish.layout)
            taken = taking.settle(seen)
            _require_covered(project, taken)
            try:
                _write(workspace, taken)
            except OSError as error:
                raise _unwritable(error) from None
            _bind(workspace, held, taken, seen.snapshot)
    finally:
        workspace.close()
    result = _result(taken, seen, filters, recovered.problems)
    _show(settings, result)
    return exit_status(result.problems)


def _plain(id: str) -> str:
    from cwsync.kinds import same_id

    return same_id(id)


def _covered(project: Project, out: Path) -> Path:
    """The folder, as a path of the project that its manifests include."""
    from cwsync.project import covers

    folder = Path(os.path.realpath(out))
    for way in (Path(os.path.abspath(out)), folder):  # noqa: PTH100 - a link within the project is a way as good
        if covers(project, way / "any.yaml"):
            return way
    root, hint = project.root, "choose a folder below the one of cwsync.yaml"
    if folder.is_relative_to(root) and folder != root:
        name = folder.relative_to(root).as_posix()
        hint = "choose a folder that is covered"
        if not any(part.startswith(".") for part in Path(name).parts):
            lines = ", ".join((*project.manifests, name))
            hint = f"write `manifests: [{lines}]` into cwsync.yaml, or {hint}"
    raise fail(
        "CW901",
        f"what is written to {out} would not be read: `manifests` of cwsync.yaml has {', '.join(project.manifests)}",
        hint=hint,
    )


def _require_covered(project: Project, taken: Taken) -> None:
    """Patterns may take some names of a folder and not others. Raises CW901 before anything is written."""
    from cwsync.project import covers, shown

    if missed := [shown(file) for file in taken.written.texts if not covers(project, file)]:
        raise fail(
            "CW901",
            f"{', '.join(missed)} would not be read: `manifests` of cwsync.yaml has {', '.join(project.manifests)}",
            hint="give `manifests` the folder instead of a pattern of names",
        )


def _unwritable(error: OSError) -> CwsyncError:
    return fail(
        "CW901",
        f"{error.filename} cannot be written: {error.strerror}",
        hint="nothing is managed yet; mend it, and run cwsync import --all again: it uses what is written already",
    )


def _declared(project: Project) -> tuple[list[tuple[Path, str]], Manifest]:
    """What is declared so far, which may be nothing."""
    from cwsync.manifest import Manifest, load_manifests
    from cwsync.project import manifest_files, shown

    found: dict[Path, str] = {}
    for pattern in project.manifests:
        try:
            found |= {file: shown(file) for file in manifest_files(replace(project, manifests=(pattern,)))}
        except CwsyncError as error:
            _unless_empty(error)
    files = sorted(found.items())
    try:
        variables = project.environment.variables
        return files, load_manifests(
            files, defaults=project.defaults, users=project.users, variables=variables
        )
    except CwsyncError as error:
        _unless_empty(error)
        return files, Manifest({})


def _unless_empty(error: CwsyncError) -> None:
    if any(one.code != "CW115" and one.severity == "error" for one in error.problems):
        raise error


def _write(workspace: Workspace, taken: Taken) -> None:
    """cwsync.yaml first, then the manifests in the order in which they need each other: whatever a crash leaves
    can be read, and is found again by its names."""
    from cwsync.state.files import Files, write_durably

    project, written = workspace.project, taken.written
    settings = Path(os.path.realpath(project.path))
    mode = settings.stat().st_mode & 0o666
    before = settings.read_bytes()
    mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
    if before != mark + project.document.source.text.encode():
        raise _changed(project.file)
    files = workspace.outside.files or Files()
    if written.settings is not None:
        write_durably(files, settings, mark + written.settings.encode())
        settings.chmod(mode)
    for file, text in written.texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(file):
            raise _changed(str(file))
        write_durably(files, file, text.encode())
        file.chmod(mode)


def _changed(file: str) -> CwsyncError:
    return fail(
        "CW512", f"{file} was changed while the tenant was read", hint="run cwsync import --all again"
    )


def _bind(workspace: Workspace, held: Held, taken: Taken, seen: Snapshot) -> None:
    from cwsync.apply import settled

    if bound := taken.bound:
        only = replace(taken.plan, changes=bound, calls=())
        held.update(lambda state: workspace.with_versions(settled(state, only, taken.desired), seen))


def _result(taken: Taken, seen: Everything, filters: Filters, before: tuple[Problem, ...]) -> ImportResult:
    from cwsync.authoring.declare import variables_of
    from cwsync.project import shown
    from cwsync.report.import_all import ImportResult

    drafts = taken.written.all_drafts
    new = {draft.address for draft in drafts}
    variables = variables_of(drafts)
    hidden = set(variables.values())
    notes = [
        f"{one.address} is of version 1.0: the first change writes it anew in version 2.0"
        for one in drafts
        if one.observed.version == "1.0"
    ]
    return ImportResult(
        environment=taken.plan.environment,
        tenant=taken.plan.tenant,
        files={shown(file): tuple(one.address for one in of) for file, of in taken.written.drafts.items()},
        bound=tuple(change.address for change in taken.bound if change.address not in new),
        added=taken.written.added if taken.written.settings is not None else (),
        left_out=tuple(_left_out(taken, seen, new)),
        variables=variables,
        unshown=tuple(
            note
            for note in taken.plan.unverifiable
            if note.partition(":")[0] in new and note.replace(": ", ".", 1).partition(" ")[0] not in hidden
        ),
        notes=tuple(notes),
        problems=(*before, *_problems(taken, seen, filters)),
    )


def _left_out(taken: Taken, seen: Everything, new: set[str]) -> Iterator[LeftOut]:
    from cwsync.report.import_all import LeftOut

    for (kind, id), reason in sorted(taken.left.items()):
        one = seen.snapshot.get(kind, id)
        yield LeftOut(kind, _name(kind, id, one, seen), one.id if one else id, reason)
    for change in taken.differing({one.address for one in taken.bound}):
        if change.address not in new:
            fields = ", ".join(field.path for field in change.fields) or "what it is"
            told = f"{change.address} is declared with its name, and differs in {fields}: see cwsync plan --adopt"
            yield LeftOut(change.kind, change.name, change.id or "", told)


def _name(kind: str, id: str, one: Observed | None, seen: Everything) -> str:
    """Its name; of a part, its integration's, which is also known where the part could not be read."""
    integrations = seen.snapshot.objects.get("integration", {})
    if one is not None:
        return integrations[parent].name if (parent := _plain(one.parent or "")) in integrations else one.name
    pointing = (owner.name for owner in integrations.values() if _plain(owner.notification or "") == id)
    return next(pointing, "") if kind == "notification" else ""


def _problems(taken: Taken, seen: Everything, filters: Filters) -> Iterator[Problem]:
    from cwsync.kinds import KINDS

    for kind, reason in seen.snapshot.unread.items():
        if filters.of(kind):
            yield Problem(
                "CW312",
                f"the tenant's {KINDS[kind].section} could not be read completely: {reason}",
                hint="nothing of them was imported; run this again when the service answers in full",
            )
    for address, reason in taken.failed.items():
        yield Problem(
            "CW509",
            f"{address} was not imported: {reason}",
            hint="please report this; until then, declare it by hand and use cwsync import ADDR=ID",
            address=address,
        )


def _show(settings: Settings, result: ImportResult) -> None:
    from cwsync.report.import_all import import_all_json, import_all_text

    if settings.format == "json":
        settings.show(import_all_json(result))
    else:
        settings.show(import_all_text(result, color=settings.color, quiet=settings.quiet))
