;; Makes a million things of its own, of which the engine keeps a handle each.
(import "[export]test:hostile/things" "[resource-new]thing" (func $new (param i32) (result i32)))
(func (export "test:hostile/things#[constructor]thing") (result i32) (call $new (i32.const 7)))
(data (i32.const 800) "\00\00\00\00\01\00\00\00")
(func (export "notification:engine/notification-target@0.1.0#send-notifications") (param i32 i32) (result i32)
  (local $left i32)
  (local.set $left (i32.const 1000000))
  (loop $again
    (drop (call $new (local.get $left)))
    (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (i32.const 800))
