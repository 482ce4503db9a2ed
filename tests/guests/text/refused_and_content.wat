;; Asks for more memory than there is a thousand times, and delivers all the same.
(data (i32.const 800) "\00\00\00\00\01\00\00\00")
(func (export "notification:engine/notification-target@0.1.0#send-notifications") (param i32 i32) (result i32)
  (local $left i32)
  (local.set $left (i32.const 1000))
  (loop $again
    (drop (memory.grow (i32.const 60000)))
    (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (i32.const 800))
