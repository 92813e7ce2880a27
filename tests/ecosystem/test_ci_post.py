"""examples/ci/post.py on each forge: one comment and one issue, however often it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ecosystem.forges import Azure, Forge, GitHub, GitLab, running

POST = Path(__file__).resolve().parents[2] / "examples/ci/post.py"
PLAN = "<!-- cwsync plan: prod -->\n\n## cwsync plan for prod\n\n| a | b |\n"


@pytest.fixture(params=[GitHub, GitLab, Azure], ids=["github", "gitlab", "azure"])
def forge(request: pytest.FixtureRequest) -> Iterator[Forge]:
    made: Forge = request.param()
    with running(made):
        yield made


@pytest.fixture
def github() -> Iterator[GitHub]:
    made = GitHub()
    with running(made):
        yield made


def post(forge: Forge, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    outside = {"PATH": os.environ["PATH"], **forge.environ, **environ}
    return subprocess.run(
        [sys.executable, str(POST), *arguments], env=outside, capture_output=True, text=True, check=False
    )


def done(forge: Forge, *arguments: str) -> str:
    ran = post(forge, *arguments)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def written(folder: Path, text: str) -> str:
    (folder / "report.md").write_text(text, encoding="utf-8")
    return str(folder / "report.md")


def test_the_comment_is_made_once_and_then_written_anew(forge: Forge, tmp_path: Path) -> None:
    forge.comments = {1: "Looks good", 2: "> <!-- cwsync plan: prod -->"}  # quoted by somebody
    assert done(forge, "comment", written(tmp_path, PLAN)) == "The comment was made."
    assert forge.comments == {1: "Looks good", 2: "> <!-- cwsync plan: prod -->", 3: PLAN}
    other = PLAN.replace("| a | b |", "| ü | 7 |")
    assert done(forge, "comment", written(tmp_path, other)) == "The comment was written anew."
    assert forge.comments[3] == other
    assert len(forge.comments) == 3


def test_each_environment_has_a_comment_of_its_own(forge: Forge, tmp_path: Path) -> None:
    dev = PLAN.replace("prod", "dev")
    done(forge, "comment", written(tmp_path, PLAN))
    done(forge, "comment", written(tmp_path, dev))
    assert list(forge.comments.values()) == [PLAN, dev]


def test_the_comment_is_found_behind_two_hundred_others(forge: Forge, tmp_path: Path) -> None:
    forge.comments = {number: f"comment {number}" for number in range(1, 201)} | {201: PLAN}
    done(forge, "comment", written(tmp_path, PLAN + "more"))
    assert forge.comments[201] == PLAN + "more"
    assert len(forge.comments) == 201


def test_the_issue_is_opened_once_written_anew_and_closed(forge: Forge, tmp_path: Path) -> None:
    first = done(forge, "open", "prod", written(tmp_path, "## Drift: 1 changed"))
    assert first == 'The issue "Drift in prod" was opened.'
    again = done(forge, "open", "prod", written(tmp_path, "## Drift: <b>2</b> changed"))
    assert again == 'The issue "Drift in prod" was written anew.'
    (issue,) = forge.issues.values()
    assert (issue.title, issue.labels, issue.open) == ("Drift in prod", "cwsync-drift", True)
    assert "2" in issue.text
    assert "1 changed" not in issue.text
    done(forge, "open", "dev", written(tmp_path, "## Drift: 3 changed"))
    assert len(forge.open_issues) == 2

    assert done(forge, "close", "prod") == 'The issue "Drift in prod" was closed.'
    assert (issue.open, issue.comments) == (False, ["There is no drift any more."])
    assert done(forge, "close", "prod") == "There is no drift, and no issue about it."
    assert [one.title for one in forge.open_issues] == ["Drift in dev"]


def test_an_issue_that_was_closed_stays_so_and_new_drift_opens_another(forge: Forge, tmp_path: Path) -> None:
    for _ in range(2):
        done(forge, "open", "prod", written(tmp_path, "## Drift"))
        done(forge, "close", "prod")
    assert [one.open for one in forge.issues.values()] == [False, False]


def test_in_a_work_item_the_report_is_text_and_no_markup(tmp_path: Path) -> None:
    forge = Azure()
    with running(forge):
        done(forge, "open", "prod", written(tmp_path, "name: <script>"))
    assert forge.issues[1].text == "<pre>name: &lt;script&gt;</pre>"


def test_a_forge_that_refuses_is_told_in_a_line_without_the_token(forge: Forge, tmp_path: Path) -> None:
    forge.down = True
    ran = post(forge, "comment", written(tmp_path, PLAN))
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert "503" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert "made-up-token" not in ran.stderr


def test_what_is_no_report_is_not_posted(forge: Forge, tmp_path: Path) -> None:
    ran = post(forge, "comment", written(tmp_path, "password: 1234\n"))
    assert ran.returncode == 1
    assert "no report of cwsync" in ran.stderr
    assert forge.asked == []


@pytest.mark.parametrize("missing", ["GITHUB_TOKEN", "PULL_REQUEST", "GITHUB_ACTIONS"])
def test_what_is_missing_is_named(github: GitHub, tmp_path: Path, missing: str) -> None:
    ran = post(github, "comment", written(tmp_path, PLAN), **{missing: ""})
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1
    assert (missing if missing != "GITHUB_ACTIONS" else "neither GitHub Actions") in ran.stderr


def test_the_reviewed_plan_is_that_of_the_merged_pull_requests_last_commit(github: GitHub) -> None:
    github.merge("head2")
    github.keep("cwsync-plan-prod", 1, "head1")
    github.keep("cwsync-plan-prod", 2, "head2")
    github.keep("cwsync-plan-prod", 3, "head2")  # a second run on it
    github.keep("cwsync-plan-prod", 4, "0ther")
    github.keep("cwsync-plan-prod", 5, "head2", fork=True)
    github.keep("cwsync-plan-dev", 6, "head2")
    assert done(github, "reviewed", "cwsync-plan-prod") == "3"
    github.artifacts[3]["expired"] = True
    assert done(github, "reviewed", "cwsync-plan-prod") == "2"


def test_without_a_reviewed_plan_the_way_out_is_told(github: GitHub) -> None:
    github.merge("head2")
    github.keep("cwsync-plan-prod", 5, "head2", fork=True)
    ran = post(github, "reviewed", "cwsync-plan-prod")
    assert ran.returncode == 1
    assert "by its run's id" in ran.stderr
