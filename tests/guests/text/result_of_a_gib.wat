;; Answers with 1,000 outcomes whose messages are all the same MiB of its memory: a GiB, once it is moved.
(memory (export "memory") 64)
(data (i32.const 800) "\00\00\11\00\e8\03\00\00")
(func (export "notification:engine/notification-target@0.1.0#send-notifications") (param i32 i32) (result i32)
  (local $at i32)
  (local.set $at (i32.const 1114112))
  (loop $again
    (i32.store offset=12 (local.get $at) (i32.const 2097152))
    (i32.store offset=16 (local.get $at) (i32.const 1048576))
    (local.set $at (i32.add (local.get $at) (i32.const 32)))
    (br_if $again (i32.lt_u (local.get $at) (i32.const 1146112))))
  (i32.const 800))
