;; Makes 300 characters of every address, which is more than an address may have.
(func (export "notification:engine/notification-target@0.1.0#check-address") (param i32 i32) (result i32)
  (i32.store (i32.const 900) (i32.const 0))
  (i32.store (i32.const 904) (i32.const 2000))
  (i32.store (i32.const 908) (i32.const 300))
  (memory.fill (i32.const 2000) (i32.const 120) (i32.const 300))
  (i32.const 900))
