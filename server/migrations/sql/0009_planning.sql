call sync_feed('route', 42::smallint, 'user:', 'person_id');
