-- title = "Status page reports: the newest register"
-- like_stream = "incident_reports"
select * from macros.register_rows('incident_reports', (provider, report_id))
