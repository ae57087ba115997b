-- Which exact rows make up one number? Every metric carries the select of its own evidence; paste what this returns.
select metric_id, title_en, evidence_sql
from meta.metrics
where metric_id = 'inc_ack_within_target'
