;; Answers with an outcome of a kind that the contract does not have.
(data (i32.const 800) "\00\10\00\00\01\00\00\00")
(data (i32.const 4096) "\63")
(func (export "notification:engine/notification-target@0.1.0#send-notifications") (param i32 i32) (result i32)
  (i32.const 800))
