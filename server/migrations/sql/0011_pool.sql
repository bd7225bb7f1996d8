-- An offer lies with whoever may take it, beside their other matters.
call sync_feed('pool_visible', 41::smallint, 'user:', 'person_id', 'offer_id');
