//! A PostgreSQL server in a temporary folder, with the settings that a new one has.
//!
//! PostgreSQL refuses to run as root, so that there it runs as `nobody`. The kernel ends it when the thread ends that started
//! it, which lives as long as the process, however that ends.
//!
//! The benchmark beside other queues takes this file in too.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A connection past the store.
pub async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().unwrap();
    options.connect().await.unwrap()
}

/// A server that runs.
pub struct Server {
    port: u16,
    /// Its data and its log.
    pub folder: PathBuf,
}

impl Server {
    /// A new server with these settings beside the ordinary ones.
    pub fn start(settings: &[&str]) -> Server {
        // Not removed at the end, when the server is still writing into it; the next run does that.
        let folder = std::env::temp_dir().join(format!("engine-tests-postgres-{}-{}", std::process::id(), free_port()));
        remove_old();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
        let server = Server { port: free_port(), folder };
        let data = server.data();
        let made = as_user(&program("initdb"))
            .args(["--auth=trust", "--username=tests", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .expect("setpriv and initdb are there");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.run(settings);
        server
    }

    /// Runs the server on the data that is there.
    pub fn run(&self, settings: &[&str]) {
        let mut command = as_user(&program("postgres"));
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "unix_socket_directories="]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        let log = std::fs::File::create(self.folder.join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        std::thread::spawn(move || {
            let mut child = command.spawn().expect("postgres starts");
            let _ = child.wait();
        });
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.answers() {
            assert!(
                Instant::now() < deadline,
                "postgres: {}",
                std::fs::read_to_string(self.folder.join("log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it as an operator would: connections are cut, what was committed is kept.
    pub fn stop(&self) {
        self.stop_by("fast");
    }

    /// Stops it in this mode of pg_ctl: "immediate" is as a crash, from which the next start recovers.
    pub fn stop_by(&self, mode: &str) {
        let stopped =
            as_user(&program("pg_ctl")).args(["stop", "-m", mode, "-w", "-D"]).arg(self.data()).output().unwrap();
        assert!(stopped.status.success(), "pg_ctl: {}", String::from_utf8_lossy(&stopped.stderr));
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://tests@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs a statement that concerns the server.
    pub async fn admin(&self, statement: &str) {
        let mut connection = connect(&self.url("postgres")).await;
        connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
        connection.close().await.unwrap();
    }

    fn answers(&self) -> bool {
        let ready =
            Command::new(program("pg_isready")).args(["-h", "127.0.0.1", "-p", &self.port.to_string()]).output();
        ready.is_ok_and(|ready| ready.status.success())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

/// A command that ends with the thread that starts it, and is not run by root.
fn as_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    command.args(["--pdeathsig", "INT", "--"]).arg(program).current_dir("/");
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

/// A program of the newest PostgreSQL on this machine.
fn program(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os("TEST_POSTGRES") {
        return Path::new(&folder).join(name);
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let newest = folders.filter(|folder| folder.join(name).is_file()).max();
    newest.map_or_else(|| PathBuf::from(name), |folder| folder.join(name))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Removes the folders of runs that have ended.
fn remove_old() {
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix("engine-tests-postgres-").and_then(|rest| rest.split('-').next());
        if let Some(process) = process
            && !Path::new("/proc").join(process).exists()
        {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
