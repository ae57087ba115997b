"""One module per page, each with ``render()``. A view holds neither SQL nor arithmetic on scores."""
