"""Tables that Python writes: the organisation, the calendar, the catalogue, and which load counts."""
