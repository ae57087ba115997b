"""The colours that drawings of pages and reports share: fixed, one palette for light, dark and paper.

Blue: the requirement is met, or a number as it is. Orange: the requirement is not met. Teal: the requirement itself, a
solid line that nothing else has. Grey: neither. Violet: what differs and is neither good nor bad.
"""

BLUE, ORANGE, GREY, TEAL, VIOLET = "#2a7cc5", "#b8690f", "#717a84", "#25876f", "#826db7"
KRAV_COLOUR, KRAV_WIDTH = TEAL, 2
BANDS = ("#e08a1e", "#f6d5a0", "#f3f4f4", "#c7ddf0", "#7fb2df")
"""Behind a score, from the lowest level to the highest; on the screens of the app those of ``style.css``, which are the
same in light."""
