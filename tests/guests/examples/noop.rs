//! Answers that all was delivered, without any call to the host: what the benchmark measures.

test_guests::guest!(test_guests::manifest("Noop").largest_batch(100), test_guests::delivered);
