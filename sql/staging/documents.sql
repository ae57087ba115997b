-- title = "Reviews of documentation pages: the newest register"
-- like_stream = "documents"
select * from macros.register_rows('documents', (document_id, reviewed_at))
