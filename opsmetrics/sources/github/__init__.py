"""GitHub's REST and GraphQL APIs (source contracts, E, G and H).

One module per subject; functions are named like the streams they answer for. The ``.graphql`` files are checked
against GitHub's published schema by the tests. Does not belong here: git clones (``sources.clones``).
"""
