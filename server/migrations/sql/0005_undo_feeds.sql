drop function sync_touch_30;
drop function sync_touch_31;
drop function sync_touch_32;
