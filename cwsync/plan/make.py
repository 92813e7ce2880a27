"""The planner: a pure function from desired, known and observed to a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cwsync.errors import CwsyncError, Problem
from cwsync.kinds import KINDS, ChangeLists, Desired, Snapshot, same_id
from cwsync.plan.alike import look_alike_problems
from cwsync.plan.bind import Bindings, labels, misfit_problems, ours, unmanaged_problems
from cwsync.plan.blast import blast
from cwsync.plan.decide import Decisions, Inputs, decide
from cwsync.plan.guards import guard_problems
from cwsync.plan.lists import Adopted, Relabelled, adopt, forgotten, labelled, relabel
from cwsync.plan.order import order_calls
from cwsync.plan.policies import Approval, judged
from cwsync.plan.selection import choose
from cwsync.plan.values import Call, Change, Plan, Selection
from cwsync.project import Guards, Policy
from cwsync.state import State


def make_plan(  # noqa: PLR0913 - all that a plan depends on, and nothing else
    desired: Mapping[str, Desired],
    known: State,
    observed: Snapshot,
    *,
    environment: str,
    tenant: str,
    guards: Guards,
    secrets: Mapping[str, Mapping[str, str]] | None = None,
    lists: ChangeLists | None = None,
    selection: Selection | None = None,
    policies: Sequence[Policy] = (),
    approval: Approval | None = None,
) -> Plan:
    """Work out the calls that make the tenant match.

    `secrets` says of each secret of a managed resource whether it is the "same" as last applied,
    "changed", or "unknown"; `approval` is who asks, for the `policies`. Does
    no I/O, reads no clock; the same inputs give the same bytes. What
    keeps a plan from being applied stands in its `problems`.
    """
    lists, selection, approval = lists or ChangeLists(), selection or Selection(), approval or Approval()
    moved = relabel(known, desired, lists.moved)
    adopted = adopt(moved.known, desired, observed, lists.imports, names=selection.adopt)
    leaving = forgotten(adopted.known, desired, lists)
    inputs = Inputs(
        desired,
        _without(adopted.known, leaving),
        observed,
        secrets or {},
        forgotten={address: adopted.known.resources[address] for address in leaving},
        chosen=choose(selection, desired, adopted.known),
        replace=frozenset(selection.replace),
    )
    bindings = Bindings(desired, observed)
    decisions = decide(inputs, bindings)
    changes = _labelled(decisions, moved.previous, adopted)
    problems = _problems(inputs, bindings, decisions, moved, adopted)
    problems += guard_problems(decisions.changes, desired, inputs.known, observed, guards, decisions.left_out)
    problems += look_alike_problems(decisions.changes, desired)
    calls = _calls(decisions, desired, bindings, problems)
    problems += _over_the_limit(decisions, observed)
    verdicts = [*judged(changes, desired, policies, approval)]
    problems += [problem for _, problem in verdicts]
    names = labels(adopted.known, observed)
    return Plan(
        environment=environment,
        tenant=tenant,
        changes=changes,
        calls=calls,
        drift=tuple(decisions.drift),
        unmanaged=_unmanaged(inputs.known, observed),
        unverifiable=tuple(decisions.unverifiable),
        pending=tuple(sorted(f"{i.address} ({i.action})" for i in known.pending.values())),
        guards=tuple(one.message for one in problems if one.exit == 7 and one.severity == "error"),
        problems=tuple(problems),
        left_out=tuple(sorted(a for a, c in decisions.left_out.items() if c.action != "no-op")),
        policies=tuple(verdict for verdict, _ in verdicts),
        approvals=tuple(sorted(approval.labels)),
        blast=blast(changes, desired, adopted.known, observed, names),
        labels=names,
        read_calls=observed.calls,
        assumed=len(observed.assumed),
        read_seconds=observed.seconds,
    )


def _labelled(decisions: Decisions, previous: Mapping[str, str], adopted: Adopted) -> tuple[Change, ...]:
    """All changes, knowing under which address something was before, and what is taken over."""
    return tuple(
        labelled(change, previous, adopted.addresses)
        for change in (*decisions.changes.values(), *_moves_alone(decisions, previous))
    )


def _problems(
    inputs: Inputs, bindings: Bindings, decisions: Decisions, moved: Relabelled, adopted: Adopted
) -> list[Problem]:
    """What is wrong with what was wished for and with what is there, where this plan has to do with it."""
    found = [
        *(_unread(kind, reason) for kind, reason in sorted(inputs.observed.unread.items())),
        *moved.problems,
        *adopted.problems,
        *inputs.chosen.problems,
        *unmanaged_problems(inputs.desired, inputs.observed),
        *misfit_problems(inputs.desired, bindings),
        *decisions.problems,
        *_not_as_declared(decisions, adopted),
    ]
    return [one for one in found if one.address not in decisions.left_out]


def _without(state: State, addresses: frozenset[str]) -> State:
    return replace(state, resources={a: e for a, e in state.resources.items() if a not in addresses})


def _moves_alone(decisions: Decisions, previous: Mapping[str, str]) -> list[Change]:
    """A move changes nothing in the tenant, so a partial plan makes it, whatever else it leaves out."""
    return [
        replace(change, action="no-op", after=change.before, after_unknown={}, fields=(), reason=None)
        for address, change in decisions.left_out.items()
        if address in previous and change.before is not None
    ]


def _not_as_declared(decisions: Decisions, adopted: Adopted) -> list[Problem]:
    """What is taken over must not be deleted for it."""
    return [
        Problem(
            "CW509",
            f"{address} cannot be imported as it is declared: {change.reason}, so it would have to be replaced",
            hint="declare it as it is in the tenant, or give yours another name",
            address=address,
        )
        for address, change in decisions.changes.items()
        if address in adopted.addresses and change.action == "replace"
    ]


def _calls(
    decisions: Decisions,
    desired: Mapping[str, Desired],
    bindings: Bindings,
    problems: list[Problem],
) -> tuple[Call, ...]:
    try:
        return order_calls(decisions, desired, bindings)
    except CwsyncError as error:
        problems += error.problems
        return ()


def _unread(kind: str, reason: str) -> Problem:
    return Problem(
        "CW312",
        f"the tenant's {KINDS[kind].section} could not be read completely: {reason}",
        hint="nothing is created or deleted on an incomplete picture; try again when the service answers in full",
    )


def _over_the_limit(decisions: Decisions, observed: Snapshot) -> list[Problem]:
    """The tenant counts integrations and flows together (facts B40). Deletions come last, so what is new
    has to fit in beside what goes."""
    counted = [c.action for c in decisions.changes.values() if c.kind in ("integration", "flow")]
    more = counted.count("create") + counted.count("replace")
    if observed.used is None or observed.allowed is None or not more:
        return []
    if observed.used + more <= observed.allowed:
        return []
    has = f"the tenant has {observed.used} of the {observed.allowed} integrations and flows that it may have"
    message = f"{has}, and {more} would be added before any is deleted"
    return [Problem("CW314", message, hint="delete some first, or ask Anaplan for a higher limit")]


def _unmanaged(known: State, observed: Snapshot) -> tuple[str, ...]:
    """What was read, can be declared, and isn't managed: its kind and name."""
    mine = ours(known)
    return tuple(
        f"{kind.name} {found.name}"
        for kind in KINDS.values()
        if kind.listing is not None
        for found in sorted(observed.objects.get(kind.name, {}).values(), key=lambda one: (one.name, one.id))
        if same_id(found.id) not in mine
    )
