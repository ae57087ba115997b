"""Jira Cloud: incidents, corrective actions and planned tasks as issues.

Belongs here: asking Jira, and reading columns of a contract from fields and histories as sources.toml names them.
Does not belong here: alerts and duty of Jira Service Management Operations (``opsmetrics.sources.oncall``).
"""
