//! The service as a process of its own, with its configuration file and its log, beside the simulated Discord in real time.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chat_sandbox::{Limits, Sandbox, Setup, SimClock, wall_ms};
use tempfile::TempDir;
use tminus::sandboxed::{BOT_TOKEN, world};
use tokio::time::Instant;

pub const HOOK_SECRET: &str = "a-secret-of-the-alerts-9f3b27";

/// A simulated Discord and a folder for the service.
pub struct Place {
    pub sandbox: Sandbox,
    pub folder: TempDir,
    pub intake: SocketAddr,
}

/// A client that keeps no connection: the service is killed and started again. OpenSSL reads every certificate of the system for each client,
/// so a test that sends a lot has one for all.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(5)).pool_max_idle_per_host(0).no_proxy().build().unwrap()
}

/// The running service; it does not outlive its test.
pub struct Service(pub Child);

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Place {
    pub async fn new() -> Self {
        Self::with(world(), Limits::WIDE).await
    }

    pub async fn with(world: chat_sandbox::World, limits: Limits) -> Self {
        let setup = Setup {
            world,
            clock: SimClock::running(wall_ms()),
            token: BOT_TOKEN.to_owned(),
            port: 0,
            limits,
            house: None,
            openapi: None,
        };
        let sandbox = Sandbox::start(setup).await.unwrap();
        let intake = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self { sandbox, folder: tempfile::tempdir().unwrap(), intake }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn channel(&self, name: &str) -> u64 {
        world().channels.iter().find(|channel| channel.name == name).unwrap().id
    }

    pub fn role(&self, name: &str) -> u64 {
        world().roles.iter().find(|role| role.name == name).unwrap().id
    }

    /// The configuration: the token as `discord` says, one source of alerts, and whatever is added.
    pub fn configure(&self, discord: &str, more: &str) {
        let text = format!(
            "[discord]\n{discord}\napi_url = \"{}\"\n[database]\npath = \"{}\"\n[intake]\nlisten = \"{}\"\n\
             [[intake.sources]]\nname = \"alerts\"\nkind = \"alertmanager\"\nguild_id = \"{}\"\nsecret = \"{HOOK_SECRET}\"\n{more}",
            self.sandbox.url(),
            self.path("t.db").display(),
            self.intake,
            world().guild,
        );
        std::fs::write(self.path("tminus.toml"), text).unwrap();
    }

    pub fn configure_plainly(&self) {
        self.configure(&format!("token = \"{BOT_TOKEN}\""), &self.workspace());
    }

    /// The sandbox's server, as the file sets one.
    pub fn workspace(&self) -> String {
        format!(
            "[[workspace]]\nguild_id = \"{}\"\nrelease_channel_id = \"{}\"\nops_channel_id = \"{}\"\ntimezone = \"Europe/Berlin\"\n\
             [workspace.roles]\nrelease_manager = [\"{}\"]\nengineering_lead = [\"{}\"]\nproduct_owner = [\"{}\"]\nsre_ops = [\"{}\"]\n",
            world().guild,
            self.channel("releases"),
            self.channel("tminus-ops"),
            self.role("Release Managers"),
            self.role("Engineering Leads"),
            self.role("Product"),
            self.role("SRE"),
        )
    }

    /// Starts the service; `before` is run by the shell first.
    pub fn start(&self, before: &str) -> Service {
        let program = env!("CARGO_BIN_EXE_tminus");
        let script = format!("{before}\nexec {program} run --config {}", self.path("tminus.toml").display());
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let child = Command::new("sh")
            .args(["-c", &script])
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Service(child)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Sends alerts as Alertmanager does, and returns the status of the answer; 0 where there is none.
    pub async fn hook(&self, scheme: &str, secret: &str, alerts: &[serde_json::Value]) -> u16 {
        self.hook_by(&client(), scheme, secret, alerts).await
    }

    /// The same by a client of the caller's.
    pub async fn hook_by(
        &self,
        client: &reqwest::Client,
        scheme: &str,
        secret: &str,
        alerts: &[serde_json::Value],
    ) -> u16 {
        let body = serde_json::json!({ "version": "4", "status": "firing", "alerts": alerts });
        let url = format!("http://{}/hooks/alertmanager/alerts", self.intake);
        let sent = client.post(url).header("Authorization", format!("{scheme} {secret}")).json(&body).send().await;
        sent.map_or(0, |answer| answer.status().as_u16())
    }

    /// What the service answers to a path: its status and text; 0 where it does not answer.
    pub async fn get(&self, path: &str) -> (u16, String) {
        match client().get(format!("http://{}{path}", self.intake)).send().await {
            Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap_or_default()),
            Err(_) => (0, String::new()),
        }
    }

    pub async fn until_ready(&self) {
        self.until("ready", async || self.get("/readyz").await.0 == 200).await;
    }

    /// Waits until something is so; a minute at most.
    pub async fn until(&self, what: &str, so: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        while !so().await {
            assert!(begun.elapsed() < Duration::from_secs(60), "not {what} after a minute:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
