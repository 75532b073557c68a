-- As in 310_timers.

ALTER TABLE order_ext_internal.timer_ahead ALTER message_ids SET STORAGE EXTERNAL;
