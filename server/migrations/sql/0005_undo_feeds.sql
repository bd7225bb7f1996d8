drop function sync_touch_30;
drop function sync_touch_31;
