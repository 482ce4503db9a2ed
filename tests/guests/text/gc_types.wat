;; Has values that a garbage collector would keep.
(component
  (core module $m (type $s (struct (field i32))) (func (result (ref $s)) (struct.new $s (i32.const 1))))
  (core instance (instantiate $m)))
