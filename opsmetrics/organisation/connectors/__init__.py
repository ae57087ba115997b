"""``[[connector]]`` of sources.toml: which system delivers which streams, and what it needs to be asked.

Belongs here: settings of each kind of connector, the streams each can deliver, and how long its source remembers.
Does not belong here: asking the source (``opsmetrics.sources``) and secrets; a setting that ends in ``_env`` names
an environment variable, never its value.
"""
