"""A first configuration, proposed from what somebody has: clones, catalogues, tables, exports.

Belongs here: reading them, a draft of teams, services and sources with dates that they prove, and its files. Does not
belong here: asking (``opsmetrics.cli.init``), what a configuration may say (``opsmetrics.organisation``), and changes
of one that exists (``opsmetrics.proposals.edits``).
"""
