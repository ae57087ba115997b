-- title = "Deployments: the winning load of each day; a row that moved to another day counts once, as last known"
-- like_stream = "deployments"
select * from macros.winning_rows('deployments', deployment_id)
