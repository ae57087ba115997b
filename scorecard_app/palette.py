"""The colours that drawings share: fixed, one palette for both themes."""

BLUE, ORANGE, GREY, TEAL = "#2a7cc5", "#b8690f", "#717a84", "#25876f"
