-- title = """\
--     Rows of every stream that carries the name of a service, team, repository, monitor, datastore or environment, \
--     or of something that another stream tells of (rule, resource, deployment, product, subject), by name and day"""
create or replace macro macros.named_rows() as table
    from macros.names_in('alerts', 'service', service_id)
    union all
    from macros.names_in('alerts', 'rule', rule_id)
    union all
    from macros.names_in('signal_hours', 'service', service_id)
    union all
    from macros.names_in('alert_rule_states', 'service', service_id)
    union all
    from macros.names_in('alert_rule_states', 'resource', resource_id)
    union all
    from macros.names_in('documents', 'service', service_id, reviewed_at)
    union all
    from macros.names_in('documents', 'subject', case when kind = 'restore' then subject_id end, reviewed_at)
    union all
    from macros.names_in('update_merges', 'repository', repository)
    union all
    from macros.names_in('dependency_updates', 'repository', repository)
    union all
    from macros.names_in('commits_daily', 'repository', repository)
    union all
    from macros.names_in('update_episodes', 'repository', repository)
    union all
    from macros.names_in('dependency_states', 'repository', repository)
    union all
    from macros.names_in('repository_states', 'repository', repository)
    union all
    from macros.names_in('component_states', 'service', service_id)
    union all
    from macros.names_in('component_states', 'product', product || ' ' || cycle)
    union all
    from macros.names_in('maintenance_tasks', 'team', team_id, first_due_at)
    union all
    from macros.names_in('incidents', 'service', service_id)
    union all
    from macros.names_in('incidents', 'deployment', caused_by_deployment_id)
    union all
    from macros.names_in('oncall_shifts', 'team', team_id)
    union all
    from macros.names_in('action_items', 'service', service_id, created_at)
    union all
    from macros.names_in('assist_requests', 'team', from_team_id)
    union all
    from macros.names_in('assist_requests', 'team', to_team_id)
    union all
    from macros.names_in('capacity_samples', 'service', service_id)
    union all
    from macros.names_in('latency_daily', 'service', service_id)
    union all
    from macros.names_in('workload_states', 'service', service_id)
    union all
    from macros.names_in('load_tests', 'service', service_id, tested_at)
    union all
    from macros.names_in('vulnerabilities', 'service', service_id)
    union all
    from macros.names_in('control_results', 'service', service_id)
    union all
    from macros.names_in('security_alerts', 'service', service_id)
    union all
    from macros.names_in('expiries', 'service', service_id)
    union all
    from macros.names_in('assessments', 'service', service_id, approved_at)
    union all
    from macros.names_in('findings', 'service', service_id, found_at)
    union all
    from macros.names_in('deployments', 'service', service_id)
    union all
    from macros.names_in('deployments', 'environment', environment)
    union all
    from macros.names_in('infrastructure_states', 'service', service_id)
    union all
    from macros.names_in('toil_reports', 'team', team_id)
    union all
    from macros.names_in('recovery_points', 'datastore', datastore_id)
    union all
    from macros.names_in('backup_copies', 'datastore', datastore_id)
    union all
    from macros.names_in('restore_tests', 'datastore', datastore_id, requested_at)
    union all
    select 'availability_checks', 'monitor', provider || '/' || monitor_id, day, check_count from facts.monitor_days
