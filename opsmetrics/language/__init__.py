"""Words and numbers in both languages. Does not belong here: which words a page or report shows."""
