"""Recipes: queries for the exports of well-known tools, and which of them a file is of.

Belongs here: a ``.sql`` file for each form of export, how it is recognised, and its copy in an organisation's folder.
Does not belong here: how a query is run (``opsmetrics.sources``) and what an organisation should have besides.
"""

from opsmetrics.recipes.drafts import draft
from opsmetrics.recipes.own_columns import own_columns, stream_of
from opsmetrics.recipes.recipe import Recipe, recipes, recognise
from opsmetrics.recipes.shape import Shape

__all__ = ["Recipe", "Shape", "draft", "own_columns", "recipes", "recognise", "stream_of"]
