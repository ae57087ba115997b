"""What was published: snapshot files, what they said, and every query on them. Does not belong here: building."""
