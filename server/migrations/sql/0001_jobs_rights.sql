grant select on alembic_version to callout_app;
grant select, insert, update, delete on procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers,
    procrastinate_workers to callout_app;
grant usage on all sequences in schema public to callout_app;
