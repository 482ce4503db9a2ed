;; Wants a door that is not in the contract.
(import "test:elsewhere/doors" "open" (func $open))
(func (export "notification:engine/notification-target@0.1.0#send-notifications") (param i32 i32) (result i32)
  (call $open)
  (i32.const 0))
