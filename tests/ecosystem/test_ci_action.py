"""action.yml, run: a pull request, its merge, the nights after, and all that goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ecosystem.forges import GitHub, running
from ecosystem.runner import Runner
from support.projects import Project, example
from support.tenant import embedded

DATA = ".cwsync/local.emulator.db"


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """With a checkout of the quickstart, whose tenant is empty, inside the repository's folder `iac`."""
    (tmp_path / "checkout").mkdir()
    example("quickstart", tmp_path / "checkout").root.rename(tmp_path / "checkout/iac")
    github = GitHub()
    with running(github):
        yield Runner(github, tmp_path / "checkout", tmp_path / "runner")


def project(runner: Runner) -> Project:
    return Project(runner.workspace / "iac")


def names(runner: Runner, kinds: str = "integrations") -> list[str]:
    with embedded(project(runner).root / DATA) as tenant:
        return tenant.names(kinds)


def test_a_pull_request_has_one_comment_and_its_merge_applies_the_reviewed_plan(runner: Runner) -> None:
    first = runner.job("plan", "pull_request", project="iac")
    assert (first.status, first.outputs) == (0, {"status": "2", "outcome": "changes"})
    (comment,) = runner.github.comments.values()
    assert comment.startswith("<!-- cwsync plan: local -->\n")
    assert "Plan: 13 to add, 0 to change, 0 to destroy." in comment
    assert first.summary == comment

    # One more commit. Another plan, in the same comment.
    project(runner).replace("manifests/close.yaml", "name: Month close", "name: Quarter close")
    runner.head = "head2"
    second = runner.job("plan", "pull_request", project="iac")
    assert second.outputs["outcome"] == "changes"
    (comment,) = runner.github.comments.values()
    assert "Quarter close" in comment
    assert names(runner) == []

    # Merged: of the two plans it is the one of the last commit that is applied, and nothing else is.
    runner.github.merge("head2")
    applied = runner.job("apply", project="iac")
    assert (applied.status, applied.outputs) == (0, {"status": "0", "outcome": "clean"})
    assert "Quarter close" in names(runner)
    assert "## cwsync apply for local: clean" in applied.summary
    assert "    Apply complete! Resources: 13 added, 0 changed, 0 destroyed." in applied.summary
    assert len(runner.github.comments) == 1


def test_a_plan_that_is_stale_changes_nothing_and_says_so(runner: Runner) -> None:
    runner.job("plan", "pull_request", project="iac")
    project(runner).replace("manifests/close.yaml", "name: Month close", "name: Quarter close")
    runner.github.merge("head1")
    stale = runner.job("apply", project="iac")
    assert (stale.status, stale.outputs) == (3, {"status": "3", "outcome": "stale"})
    assert "## cwsync apply for local: stale" in stale.summary
    assert "CW512" in stale.summary
    assert names(runner) == []
    # A person plans by hand on main, and names that run.
    by_hand = runner.job("plan", "workflow_dispatch", project="iac")
    assert by_hand.status == 0
    assert len(runner.github.comments) == 1  # there is no pull request now
    applied = runner.job("apply", "workflow_dispatch", project="iac", run_id=str(runner.run))
    assert applied.outputs["outcome"] == "clean"
    assert "Quarter close" in names(runner)


def test_drift_opens_one_issue_writes_it_anew_and_closes_it(runner: Runner) -> None:
    project(runner).applied()
    with embedded(project(runner).root / DATA) as tenant:
        tenant.edit("update", "integration", name="Month close", body={"name": "Closing"})
    found = runner.job("drift", "schedule", project="iac")
    assert (found.status, found.outputs) == (0, {"status": "2", "outcome": "changes"})
    (issue,) = runner.github.open_issues
    assert issue.title == "Drift in local"
    assert "Grace Hopper" in issue.text
    assert "Closing" in found.summary

    with embedded(project(runner).root / DATA) as tenant:
        tenant.edit("update", "integration", name="Accounts import", body={"name": "Accounts by hand"})
    runner.job("drift", "schedule", project="iac")
    (issue,) = runner.github.open_issues
    assert "Accounts by hand" in issue.text

    # What cannot be told opens nothing and closes nothing.
    settings = project(runner).read("cwsync.yaml")
    project(runner).write("cwsync.yaml", settings + "\nnonsense: 1\n")
    broken = runner.job("drift", "schedule", project="iac")
    assert (broken.status, broken.outputs["outcome"]) == (1, "error")
    assert "CW111" in broken.summary
    assert len(runner.github.open_issues) == 1

    project(runner).write("cwsync.yaml", settings)
    assert project(runner).run("apply", "--auto-approve").status == 0
    over = runner.job("drift", "schedule", project="iac")
    assert over.outputs["outcome"] == "clean"
    assert runner.github.open_issues == []
    assert len(runner.github.issues) == 1


def test_what_is_wrong_in_a_manifest_is_noted_at_its_line_and_in_the_comment(runner: Runner) -> None:
    runner.github.comments[1] = "<!-- cwsync plan: local -->\n\nPlan: 13 to add"
    project(runner).replace("manifests/connections.yaml", "bucketName", "bucketname")
    wrong = runner.job("plan", "pull_request", project="iac")
    assert (wrong.status, wrong.outputs["outcome"]) == (1, "error")
    assert "::error file=iac/manifests/connections.yaml,line=" in wrong.log
    (comment,) = runner.github.comments.values()  # the plan of the commit before is not left standing
    assert comment.startswith("<!-- cwsync plan: local -->\n\n## cwsync plan for local: error")


def test_a_plan_that_is_refused_is_shown_and_fails(runner: Runner) -> None:
    project(runner).applied()
    project(runner).replace(
        "cwsync.yaml", "    api: emulator # in", "    guards: {maxDeletes: 0}\n    api: emulator # in"
    )
    project(runner).write("manifests/close.yaml", "integrations: {}\n")
    project(runner).remove("manifests/stock.yaml")
    refused = runner.job("plan", "pull_request", project="iac")
    assert (refused.status, refused.outputs) == (7, {"status": "7", "outcome": "refused"})
    assert "cannot be applied" in runner.github.comments[1]
    assert runner.github.artifacts == []


def test_a_line_of_the_log_is_ours_or_stands_behind_a_sign(runner: Runner) -> None:
    """The runner obeys lines that begin with `::`, and names may hold anything."""
    project(runner).replace("manifests/close.yaml", "name: Month close", 'name: "::error::made up"')
    done = runner.job("plan", "push", project="iac")
    assert done.status == 0
    noted, *others = done.log.splitlines()
    assert noted.startswith("::warning file=iac/manifests/close.yaml,line=4,")
    assert [line for line in others if "made up" in line]
    assert all(line.startswith("| ") for line in others)


def test_inputs_are_texts_and_no_commands(runner: Runner) -> None:
    sly = "$(touch sly)`touch sly`\"; touch sly; '"
    for job in (
        runner.job("plan", project="iac", environment=sly),
        runner.job("drift", project=sly),
        runner.job("apply", environment=sly),
        runner.job(sly),
    ):
        assert job.status == 1
    assert not list(runner.workspace.rglob("sly"))


def test_a_comment_that_cannot_be_made_fails_the_job(runner: Runner) -> None:
    runner.github.down = True
    failed = runner.job("plan", "pull_request", project="iac")
    assert failed.status == 1
    assert failed.outputs["outcome"] == "changes"
    assert "post.py: GET /repos/acme/cloudworks/issues/7/comments: 503" in failed.log


def test_what_a_fork_has_uploaded_is_never_applied(runner: Runner) -> None:
    runner.github.keep("cwsync-plan-local", 5, "head1", fork=True)
    runner.github.merge("head1")
    refused = runner.job("apply", project="iac")
    assert refused.status == 1
    assert "no plan cwsync-plan-local of a pull request" in refused.log
