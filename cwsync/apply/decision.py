"""What a person may decide about an operation whose outcome is not certain: how it is shown, what each decision
does here, and doing it. All of it changes the state alone, and nothing of it the tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from cwsync.api import Client
from cwsync.apply.evidence import Found, Ours
from cwsync.apply.record import set_aside
from cwsync.apply.recover import bound, look_at_pending
from cwsync.errors import CwsyncError, fail
from cwsync.kinds import KINDS, Action, Desired, Observed, Snapshot, same_id
from cwsync.live import Look
from cwsync.plan import SET_ASIDE, Pending, Way
from cwsync.plan.bind import Bindings
from cwsync.plan.diff import arrange, differences, path_text, see, settle, shown
from cwsync.state import Deposed, Intent, State

ADOPT, NOT_OURS, RETRY = "--adopt", "--not-ours", "--retry"


def pending(
    client: Client, state: State, desired: Mapping[str, Desired], sleep: Callable[[float], None]
) -> tuple[Pending, ...]:
    """Every operation without an end, beside what the tenant shows. Changes nothing. Raises `ServiceError`."""
    look = Look(client)
    return tuple(
        Pending(
            intent=intent,
            verdict=found.verdict,
            why=found.why,
            evidence=found.evidence,
            object=found.object,
            others=found.others,
            differences=_differences(client, look, state, desired, intent.address, found.object),
            ways=_ways(state, intent, found),
        )
        for intent, found in look_at_pending(client, state, sleep)
    )


def decided(state: State, intent: Intent, found: Found, way: str, id: str | None = None) -> State:
    """The state after a decision; the same if it is made twice. `id` chooses one of several objects of the name.

    Raises CW606 where there is nothing to adopt, or not without saying which.
    """
    if intent.op not in state.pending:
        return state
    if way == ADOPT:
        chosen = _chosen(state, intent, found, id)
        return _adopted(state.without_intents([intent.op]), intent, chosen)
    after = state.without_intents([intent.op])
    return after if way == RETRY or _creates(intent) else _forgotten(after, intent)


def _chosen(state: State, intent: Intent, found: Found, id: str | None) -> Observed:
    objects = found.others or ((found.object,) if found.object else ())
    if id is not None:
        objects = tuple(one for one in objects if same_id(one.id) == same_id(id))
    if not objects:
        which = f"with the id {id} " if id else ""
        raise _cannot(f"{intent.address}: the tenant shows no object {which}that could be adopted")
    if len(objects) > 1:
        ids = ", ".join(one.id for one in objects)
        raise _cannot(f"{intent.address}: {found.why}, so say which one with --id: {ids}")
    if holder := _holder(state, intent, objects[0]):
        raise _cannot(f"{intent.address}: that object belongs to {holder} already")
    return objects[0]


def _cannot(message: str) -> CwsyncError:
    return fail("CW606", message, hint="cwsync recover shows what is known of it, and what can be decided")


def _holder(state: State, intent: Intent, found: Observed) -> str | None:
    """The other address that an object belongs to, if it does; not that of what the operation was about."""
    if intent.targetId is not None and same_id(intent.targetId) == same_id(found.id):
        return None
    return Ours.beside(state, intent.address).bound.get((found.kind, same_id(found.id)))


def _adopted(state: State, intent: Intent, found: Observed) -> State:
    if intent.action == SET_ASIDE and found.name == intent.name:
        return set_aside(state, intent)
    if _deposed(state, intent):
        return state  # it stays listed as to be deleted
    return bound(state, intent, found)


def _forgotten(state: State, intent: Intent) -> State:
    if deposed := _deposed(state, intent):
        return replace(state, deposed=tuple(one for one in state.deposed if one != deposed))
    return state.without_entry(intent.address)


def _creates(intent: Intent) -> bool:
    return intent.action == Action.CREATE


def _deposed(state: State, intent: Intent) -> Deposed | None:
    """What was set aside earlier, and an operation is about."""
    mine = (intent.kind, same_id(intent.targetId or ""))
    return next((one for one in state.deposed if (one.kind, same_id(one.id)) == mine), None)


def _ways(state: State, intent: Intent, found: Found) -> tuple[Way, ...]:
    if found.verdict != "needs a person":
        return ()
    return (
        _way_to_adopt(state, intent, found),
        _way_to_leave(state, intent, found),
        _way_to_retry(intent, found),
    )


def _way_to_adopt(state: State, intent: Intent, found: Found) -> Way:
    if found.others:
        return Way(ADOPT, f"{intent.address} is the one whose id you add with --id, as it is now")
    if found.object is None:
        return Way(ADOPT, "not here: there is nothing to adopt", possible=False)
    if holder := _holder(state, intent, found.object):
        return Way(ADOPT, f"not here: the object belongs to {holder}", possible=False)
    return Way(ADOPT, _adopting(state, intent, found.object))


def _adopting(state: State, intent: Intent, found: Observed) -> str:
    if intent.action == SET_ASIDE and found.name == intent.name:
        return "it has made room for its replacement, and the next apply deletes it"
    if _deposed(state, intent):
        return "it stays for now; the next plan shows its deletion again"
    secrets = "; the next apply sends its secrets again" if intent.secretFingerprints else ""
    if _creates(intent):
        return f"it is ours: {intent.address} is that object, as it is now{secrets}"
    return f"it is ours as it is now, and {intent.address} goes on being managed{secrets}"


def _way_to_leave(state: State, intent: Intent, found: Found) -> Way:
    if not _creates(intent):
        what = "the object stays as it is, and" if found.object else "it is gone, and"
        address = "is deleted by nobody" if _deposed(state, intent) else "is not managed any more"
        return Way(NOT_OURS, f"{what} {intent.address} {address}")
    if intent.parent:
        return Way(
            NOT_OURS,
            "it is somebody else's: nothing is bound, and the next plan says that the place is taken",
        )
    return Way(
        NOT_OURS, "it is somebody else's: nothing is bound, and the next plan says that the name is taken"
    )


def _way_to_retry(intent: Intent, found: Found) -> Way:
    if _creates(intent):
        return Way(RETRY, "once you have removed or renamed what is there, the next plan creates it")
    if found.object is None:
        return Way(RETRY, "the next plan creates it, if a manifest declares it")
    if intent.action == Action.DELETE:
        return Way(RETRY, "the next plan shows its deletion again, as it is now")
    return Way(
        RETRY, "the next plan compares the manifest with what is there now, and shows what it would change"
    )


def _differences(
    client: Client,
    look: Look,
    state: State,
    desired: Mapping[str, Desired],
    address: str,
    found: Observed | None,
) -> tuple[tuple[str, object, object], ...] | None:
    """Where the object is not as the manifest says: path, tenant, manifest. Secrets are in neither."""
    one = desired.get(address)
    if one is None or found is None or found.fields is None:
        return None
    unmanaged = {ref.kind for ref in one.references() if ref.address is None}
    objects = {kind: {same_id(it.id): it for it in look.listed(kind)} for kind in unmanaged}
    bindings = Bindings(desired, Snapshot(objects))
    bindings.ids |= {address: entry.id for address, entry in state.resources.items()}
    kind, now = KINDS[one.kind], client.server_time()
    want = arrange(kind, bindings.to_compare(one.fields))
    entry = state.resources.get(one.address)
    live = see(kind, entry.applied if entry else want, found.fields).live
    want = settle(kind, want, live, one.ignore, now.date().isoformat() if now else "")
    return tuple(
        (path_text(path), shown(is_), shown(should)) for path, is_, should in differences(live, want)
    )
