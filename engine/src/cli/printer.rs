//! Texts are printed by a thread of their own: whoever reads them and stops, a pager say, does not keep what is due from being delivered.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::sync::watch;

/// Prints texts in the order in which it is given them.
pub struct Printer {
    queue: mpsc::Sender<String>,
    /// How many bytes wait.
    waiting: Arc<watch::Sender<usize>>,
    /// Why nothing can be printed any more.
    broken: Arc<Mutex<Option<io::Error>>>,
    left_out: AtomicUsize,
    /// How many bytes wait at most; what comes then is not printed.
    most: usize,
}

impl Printer {
    pub fn start(mut out: impl Write + Send + 'static, most: usize) -> Self {
        let (queue, texts) = mpsc::channel::<String>();
        let waiting = Arc::new(watch::Sender::new(0));
        let broken = Arc::<Mutex<Option<io::Error>>>::default();
        let (told, trouble) = (waiting.clone(), broken.clone());
        // It ends with the process, or with whoever could give it more.
        std::thread::spawn(move || {
            for text in texts {
                if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                    trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
                told.send_modify(|waiting| *waiting -= text.len());
            }
        });
        Printer { queue, waiting, broken, left_out: AtomicUsize::new(0), most }
    }

    /// Has a text printed, unless too much waits for that.
    pub fn print(&self, text: String) {
        let mut has_room = false;
        self.waiting.send_modify(|waiting| {
            has_room = *waiting == 0 || *waiting + text.len() <= self.most;
            *waiting += if has_room { text.len() } else { 0 };
        });
        // The thread ends after this.
        if !has_room || self.queue.send(text).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether nothing waits.
    pub fn is_idle(&self) -> bool {
        *self.waiting.borrow() == 0
    }

    /// How many texts were not printed since this was last asked, as too much waited.
    pub fn take_left_out(&self) -> usize {
        self.left_out.swap(0, Ordering::Relaxed)
    }

    /// Waits until all is printed; how many texts were not, as too much waited.
    pub async fn printed(&self) -> io::Result<usize> {
        // The sender is this one's own.
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting == 0).await;
        match self.broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(self.take_left_out()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    struct Page(mpsc::Receiver<()>, mpsc::Sender<String>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.send(String::from_utf8_lossy(bytes).into_owned()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const MOST: usize = 1000;

    #[tokio::test]
    async fn nobody_waits_for_a_reader() {
        let ((turn, turned), (seen, sees)) = (mpsc::channel(), mpsc::channel());
        let printer = Printer::start(Page(turned, seen), MOST);
        for text in ["first".to_owned(), "x".repeat(MOST - 5), "y".repeat(MOST), "last".to_owned()] {
            printer.print(text);
        }
        assert!(printer.printed().now_or_never().is_none());
        for _ in 0..2 {
            turn.send(()).unwrap();
        }
        assert_eq!(printer.printed().await.unwrap(), 2);
        assert_eq!((sees.recv().unwrap().as_str(), sees.recv().unwrap().len()), ("first", MOST - 5));
        drop(turn);
        printer.print("nobody".to_owned());
        assert!(printer.printed().await.is_err());
    }
}
