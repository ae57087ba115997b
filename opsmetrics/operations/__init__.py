"""What keeps the service alive: backup, housekeeping, health, messages. Does not belong here: schedules."""
