-- The organisation of the running transaction; null admits no row at all.
create function callout_org() returns uuid
    language sql stable parallel safe
    return nullif(current_setting('callout.org', true), '')::uuid;

grant execute on function callout_org() to callout_app;
