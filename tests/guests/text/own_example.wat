;; Refuses every address, the one that its manifest shows people too.
(func (export "notification:engine/notification-target@0.1.0#check-address") (param i32 i32) (result i32)
  (i32.store (i32.const 900) (i32.const 1))
  (i32.const 900))
