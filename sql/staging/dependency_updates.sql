-- title = "Package version changes: the winning load of each day"
-- like_stream = "dependency_updates"
select * exclude (untold) from macros.winning_rows(
    'dependency_updates',
    (repository, commit_id, ecosystem, package, from_version, to_version, from_digest, to_digest)
)
