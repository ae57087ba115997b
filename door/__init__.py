"""What stands before every page of ours: who is let in, how much they may ask for, and what answers carry.

ASGI alone: it knows neither Streamlit nor Dagster, and asks the library for settings only. Does not belong here: what a
page shows (``scorecard_app``, ``pipelines``), and who may do what once inside (``scorecard_app.access``).
"""
