//! A backlog is delivered to its end, however small the batches are that it is claimed in.

use crate::support::engine::TestEngine;
use crate::support::smtp::SmtpServer;
use engine::rules::status::Status;
use serde_json::json;

/// A target that has enough to do is not claimed for; that nothing was claimed then does not mean that nothing is due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_is_full_again_and_again_is_emptied() {
    let server = SmtpServer::start(&[]).await;
    let few_at_a_time = "[delivery]\nclaim_batch = 4\nconcurrency_per_target = 1\n";
    let engine = TestEngine::builder().relay(server.address).with(few_at_a_time).start().await;
    engine.record("email", "ada@example.org").await;
    let mut made = Vec::new();
    for _ in 0..200 {
        made.push(engine.notify("email", "Title", json!({})).await);
    }
    engine.deliver().await;
    let mut left = 0;
    for id in made {
        left += usize::from(engine.show(id).await.listed.notification.status != Status::Delivered);
    }
    assert_eq!(left, 0, "of 200 are left");
}
