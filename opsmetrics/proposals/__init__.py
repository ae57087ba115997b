"""Changes of the configuration as proposals: a diff and its effect; nothing here writes the configuration."""
