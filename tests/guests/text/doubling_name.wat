;; Traps in a function whose C++ name is short, and would be written out in a hundred megabytes. One of Rust's calls it.
(func $_Z1f1aIiiiiES_IS0_S0_S0_S0_ES_IS1_S1_S1_S1_ES_IS2_S2_S2_S2_ES_IS3_S3_S3_S3_ES_IS4_S4_S4_S4_ES_IS5_S5_S5_S5_ES_IS6_S6_S6_S6_ES_IS7_S7_S7_S7_ES_IS8_S8_S8_S8_ES_IS9_S9_S9_S9_E (unreachable))
(func $_ZN6pigeon3fly17h0123456789abcdefE (call $_Z1f1aIiiiiES_IS0_S0_S0_S0_ES_IS1_S1_S1_S1_ES_IS2_S2_S2_S2_ES_IS3_S3_S3_S3_ES_IS4_S4_S4_S4_ES_IS5_S5_S5_S5_ES_IS6_S6_S6_S6_ES_IS7_S7_S7_S7_ES_IS8_S8_S8_S8_ES_IS9_S9_S9_S9_E))
(func (export "notification:engine/notification-target@0.1.0#send-notifications") (param i32 i32) (result i32)
  (call $_ZN6pigeon3fly17h0123456789abcdefE)
  (i32.const 800))
