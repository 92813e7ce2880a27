"""Reports: plain functions from plans, results and problems to text. Nothing is printed here.

No text ends with a line end, and none lets a name from a tenant or a file command a terminal.
"""

from cwsync.report.apply import apply_text
from cwsync.report.document import apply_json, drift_json, plan_json, problems_json, to_json
from cwsync.report.drift import drift_problems, drift_text
from cwsync.report.graph import graph_dot, graph_mermaid
from cwsync.report.html import plan_html
from cwsync.report.markdown import drift_markdown
from cwsync.report.markdown_plan import plan_markdown
from cwsync.report.plan import plan_text
from cwsync.report.problems import problems_github, problems_text
from cwsync.report.recover import recover_json, recover_text
from cwsync.report.sarif import problems_sarif
from cwsync.report.screen import safe

__all__ = [
    "apply_json",
    "apply_text",
    "drift_json",
    "drift_markdown",
    "drift_problems",
    "drift_text",
    "graph_dot",
    "graph_mermaid",
    "plan_html",
    "plan_json",
    "plan_markdown",
    "plan_text",
    "problems_github",
    "problems_json",
    "problems_sarif",
    "problems_text",
    "recover_json",
    "recover_text",
    "safe",
    "to_json",
]
