;; A target of a version that does not exist.
(component
  (instance $target)
  (export "notification:engine/notification-target@0.2.0" (instance $target)))
