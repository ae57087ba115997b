-- title = "Windows of one metric at each instant of evaluation, and how much of each the sources delivered"
-- [arguments]
-- for_metric = "Metric"
create or replace macro macros.metric_windows(for_metric) as table
    select * from facts.measured_windows where metric_id = for_metric
