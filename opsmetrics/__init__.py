"""The library: landing, warehouse, scoring, snapshots and the organisation's configuration.

Belongs here: everything that needs neither Dagster nor Streamlit nor Plotly.
Does not belong here: orchestration (``assets``, ``pipelines``), pages (``scorecard_app``) or invented data
(``simulator``).
"""

__version__ = "0.2.0"
