"""Who asks for a plan: the labels that were given, and whom the sign-in service takes us for."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cwsync.cli.workspace import Workspace
    from cwsync.plan import Selection
    from cwsync.plan.policies import Approval


def labels_given(selection: Selection | None) -> frozenset[str]:
    """Those of --label, or of a saved plan, and those of CWSYNC_LABELS."""
    listed = (label.strip() for label in re.split(r"[,\n]", os.environ.get("CWSYNC_LABELS", "")))
    return frozenset({*(selection.labels if selection else ()), *filter(None, listed)})


def approval_for(workspace: Workspace) -> Approval:
    """The sign-in service is asked only where a policy wants to know who it is, and may not be able to say."""
    from cwsync.api import ServiceError
    from cwsync.plan.policies import Approval, asks_for_user, called

    project, labels = workspace.project, labels_given(workspace.selection)
    if not asks_for_user(project.policies, labels):
        return Approval(labels)
    try:
        who = workspace.identity
    except ServiceError:
        return Approval(labels)
    mine = {called(one) for one in (who.user_guid, who.user_id) if one}
    names = {name for name, id in project.users.items() if called(id) in mine}
    return Approval(labels, frozenset(mine | names))
