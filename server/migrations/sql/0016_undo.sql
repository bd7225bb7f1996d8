drop function messages_waiting, push_totals, release_push_address, organisations_with_messages_due;
drop policy door on message;
